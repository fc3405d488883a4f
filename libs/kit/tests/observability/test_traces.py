"""Traces: one from a request to its effect elsewhere, nothing personal in them, nothing at all unless configured."""

import subprocess
import sys

import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kantis_kit.observability import tracing
from kantis_kit.observability.otel import ALLOWED, OpenTelemetry
from kantis_kit.testing.probe import SPEC

CANARY = "Kari Canary-Nordmann"
OUTSIDE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch):
    """Collect what every service made from here on would send."""
    exporter = InMemorySpanExporter()
    made = []

    def connect(service, _endpoint):
        made.append(OpenTelemetry(service, SimpleSpanProcessor(exporter)))
        return made[-1]

    monkeypatch.setattr(tracing, "_readers", [])
    monkeypatch.setattr("kantis_kit.observability.otel.connect", connect)
    yield exporter
    HTTPXClientInstrumentor().uninstrument()


TRACED = {"probe": {"otlp_endpoint": "http://collector.test:4318"}}


async def test_one_trace_from_a_request_to_the_effect_in_another_transaction(rig_for, spans):
    rig = await rig_for(SPEC, settings=TRACED, duplicate=False)

    async with rig.client() as client:
        answer = await client.post(
            "/v1/things?note=secret", json={"name": CANARY}, headers={"traceparent": OUTSIDE}
        )
    await rig.drain()

    assert 201 == answer.status_code
    trace_id = int(OUTSIDE.split("-")[1], 16)
    finished = spans.get_finished_spans()
    mine = {span.name: span for span in finished if span.context.trace_id == trace_id}
    served = mine["POST /v1/things"]
    handled = mine["consume probe.thing.created.v1"]
    assert served.context.span_id == handled.parent.span_id
    assert "kantis-probe" == served.resource.attributes["service.name"]
    effects = [s for s in finished if s.parent and s.parent.span_id == handled.context.span_id]
    assert [name for s in effects if (name := s.name).startswith("INSERT")], [
        s.name for s in finished
    ]
    (published,) = [span for span in finished if span.name == "publish"]
    assert [served.context.span_id] == [link.context.span_id for link in published.links]


async def test_every_service_of_a_process_is_traced_not_only_the_first(rig_for, spans):
    for _ in range(2):
        rig = await rig_for(SPEC, settings=TRACED, duplicate=False)
        async with rig.client() as client:
            await client.post("/v1/things", json={"name": "lamp"}, headers={"traceparent": OUTSIDE})
        await rig.drain()

    inserts = [span for span in spans.get_finished_spans() if span.name.startswith("INSERT")]
    assert 2 == len({id(span.resource) for span in inserts})


async def test_nothing_personal_leaves_in_a_span(rig_for, spans):
    rig = await rig_for(SPEC, settings=TRACED, duplicate=False)

    async with rig.client() as client:
        await client.post("/v1/things?who=Canary", json={"name": f"poison {CANARY}"})
        await client.get("/v1/things/Canary?who=Canary")
    async with rig.anonymous() as client:
        await client.get("/probe/Canary")
    await rig.drain()

    told = "\n".join(span.to_json() for span in spans.get_finished_spans())
    assert "consume probe.thing.created.v1" in told
    assert "HandlerBroke" in told
    assert "Canary" not in told
    used = {name for span in spans.get_finished_spans() for name in span.attributes}
    assert used <= ALLOWED


async def test_looking_into_empty_tables_makes_no_spans(rig_for, spans):
    rig = await rig_for(SPEC, settings=TRACED)

    await rig.drain()

    assert () == spans.get_finished_spans()


async def test_not_configured_events_carry_no_trace(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        await client.post("/v1/things", json={"name": "lamp"}, headers={"traceparent": OUTSIDE})
    await rig.drain()

    assert [None] == [envelope.traceparent for envelope in rig.envelopes]
    assert rig.service.tracing is tracing.OFF


def test_not_configured_nothing_of_the_sdk_is_imported():
    code = (
        "import sys, kantis_kit.service; "
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter',"
        " 'opentelemetry.instrumentation'))])"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == told.stdout.strip()


async def test_an_endpoint_that_nobody_answers_changes_nothing(rig_for, monkeypatch):
    monkeypatch.setattr(tracing, "_readers", [])
    rig = await rig_for(SPEC, settings={"probe": {"otlp_endpoint": "http://127.0.0.1:1"}})

    async with rig.client() as client:
        answer = await client.post("/v1/things", json={"name": "lamp"})
    await rig.drain()
    HTTPXClientInstrumentor().uninstrument()

    assert 201 == answer.status_code
