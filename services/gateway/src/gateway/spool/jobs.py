"""The loop that brings waiting leads to their service."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import orjson

from gateway.routes.body import replay
from gateway.settings import GatewaySettings
from gateway.spool import usecases
from gateway.spool.model import Spooled
from gateway.upstreams.clients import Upstream, Upstreams
from kantis_kit import failpoints, observability
from kantis_kit.db.database import is_away
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx, write
from kantis_kit.web.middleware import Message, Scope

log = observability.get_logger(__name__)

OWNER = "contacts"
IDLE_SECONDS = 0.5
DELIVERY_SECONDS = 20.0  # well below the lease
MOST_AT_ONCE = 200
MOST_PROBLEM_BYTES = 16_384
MOST_TITLE = 200


async def spool_loop(service: Service) -> None:
    """Deliver for ever; a database or service that is away is waited for."""
    claimant = new_id()
    while True:
        try:
            done = await step(service, claimant)
        except Exception as error:
            if not is_away(error):
                log.exception("spool.failed", error=type(error).__name__)
            done = 0
        if not done:
            await asyncio.sleep(IDLE_SECONDS)


async def step(service: Service, claimant: UUID) -> int:
    """Deliver the first line that is due, up to so many of it; return how many leads were tried.

    While the service is away this is one probe at a time: a line stops at the first lead that cannot be delivered, and
    the first that can lets all lines move.
    """
    upstream = service.scope.extras.get(Upstreams, Upstreams()).get(OWNER)
    if upstream is None:
        return 0
    async with write(service.scope, actor="spool") as tx:
        run = await usecases.claim(tx, claimant)
    tried, path = 0, run[0].path if run else ""
    while run and tried < MOST_AT_ONCE:
        delivered = await _deliver_run(service, upstream, run)
        tried += len(delivered)
        async with write(service.scope, actor="spool") as tx:
            run = await usecases.note_answers(tx, claimant, delivered)
    if run:
        async with write(service.scope, actor="spool") as tx:
            await usecases.give_back(tx, claimant, path)
    return tried


async def _deliver_run(
    service: Service, upstream: Upstream, run: Sequence[Spooled]
) -> list[tuple[Spooled, usecases.Answer]]:
    """Deliver leads one after the other until one is not taken, or much of the lease is used up."""
    loop = asyncio.get_running_loop()
    settings = service.settings
    assert isinstance(settings, GatewaySettings)  # noqa: S101 - narrows the type
    last = loop.time() + settings.spool_lease_seconds / 2
    delivered: list[tuple[Spooled, usecases.Answer]] = []
    for lead in run:
        answer = await _deliver(upstream, lead)
        delivered.append((lead, answer))
        await failpoints.reach("spool.delivered")
        if not answer.is_taken or loop.time() > last:
            break
    return delivered


async def _deliver(upstream: Upstream, lead: Spooled) -> usecases.Answer:
    status: int | None = None
    kind, body = b"", b""

    async def send(message: Message) -> None:
        nonlocal status, kind, body
        if message["type"] == "http.response.start":
            status = message["status"]
            kind = dict(message.get("headers", ())).get(b"content-type", b"")
        elif len(body) < MOST_PROBLEM_BYTES:
            body += message.get("body", b"")

    try:
        async with asyncio.timeout(DELIVERY_SECONDS):
            await upstream(_scope(lead), replay(lead.body), send)
    except Exception as error:  # noqa: BLE001 - whatever is wrong there, the lead waits here
        log.info("spool.not_delivered", error=type(error).__name__)
        return usecases.Answer()
    return usecases.Answer(status, _title(body) if b"problem+json" in kind else "")


def _title(body: bytes) -> str:
    """Return the title of a problem: it stands for its kind and names nobody."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return str(told.get("title", ""))[:MOST_TITLE] if isinstance(told, dict) else ""


def _scope(lead: Spooled) -> Scope:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lead.headers]
    headers += [
        (b"content-length", str(len(lead.body)).encode()),
        (b"idempotency-key", lead.idempotency_key.encode("latin-1")),
        (b"x-kantis-received-at", lead.received_at.isoformat().encode()),
    ]
    if lead.correlation_id is not None:
        headers.append((b"x-correlation-id", str(lead.correlation_id).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": lead.path,
        "raw_path": lead.path.encode(),
        "query_string": lead.query.encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": ("gateway", 80),
    }


@recurring("gateway.spool.forget", every=timedelta(hours=6))
async def forget_refused(tx: Tx) -> None:
    """Forget refused leads after a month."""
    await usecases.forget_refused(tx)
