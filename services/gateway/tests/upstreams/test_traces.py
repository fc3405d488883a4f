"""A trace goes through the gateway; a caller's trace is continued when it is one, and nothing else of it matters."""

import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.main import build_gateway
from kantis_kit.observability import tracing
from kantis_kit.observability.otel import OpenTelemetry

OUTSIDE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def _ask(world, given):
    """Return the traceparent that a service was sent."""
    seen = []

    async def service(scope, _receive, send):
        seen.extend(value for name, value in scope["headers"] if name == b"traceparent")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    app = build_gateway(world.gateway, {"orders": service})
    key = await world.key()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://kantis.test"
    ) as client:
        answer = await client.get(
            "/v1/orders?who=Canary",
            headers={"Authorization": f"Bearer {key}", "traceparent": given},
        )
    assert 200 == answer.status_code
    return seen


@pytest.mark.parametrize(
    ("given", "is_continued"), [(OUTSIDE, True), ("no trace\x7f", False), ("00-0-0-0", False)]
)
async def test_a_trace_goes_on_behind_the_gateway(world_for, monkeypatch, given, is_continued):
    monkeypatch.setattr(tracing, "_readers", [])
    world = await world_for()
    kept = InMemorySpanExporter()
    world.gateway.tracing = OpenTelemetry("gateway", SimpleSpanProcessor(kept))

    (sent,) = await _ask(world, given)

    (span,) = [one for one in kept.get_finished_spans() if one.name == "edge"]
    assert f"{span.context.span_id:016x}" == sent.decode().split("-")[2]
    assert is_continued == (f"{span.context.trace_id:032x}" == OUTSIDE.split("-")[1])
    assert "Canary" not in span.to_json()
    world.gateway.tracing.close()
    HTTPXClientInstrumentor().uninstrument()
