"""What every service shows to operators: parked messages and timers, stuck sagas, the audit log's state."""

from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import Field

from kantis_kit import audit, sagas, timers
from kantis_kit.auth.policy import needs
from kantis_kit.errors import NotFound
from kantis_kit.parked import Parked, Row, Standing, replay
from kantis_kit.tx import Scope
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, encode_cursor, moment, read_cursor
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import In, Out
from kantis_kit.web.state import runtime_of


class ParkedOut(Out):
    """A message that waits for a person."""

    queue: str
    event_id: UUID
    type: str
    handler: str
    attempts: int
    reason: str
    problem: str
    first_at: datetime
    last_at: datetime


class ParkedDetail(ParkedOut):
    """A parked message with its content."""

    content: str


class ReplayIn(In):
    """Which messages to try again; all of them when left out."""

    messages: list["MessageKey"] | None = None


class MessageKey(In):
    """The name of a parked message."""

    queue: str
    event_id: UUID


class Replayed(Out):
    """How many messages or timers were let loose."""

    replayed: int


class TimerOut(Out):
    """A timer whose handler failed five times."""

    id: UUID
    kind: str
    key: str
    attempts: int
    problem: str
    due_at: datetime


class TimersIn(In):
    """Which parked timers to fire again; all of them when left out."""

    timers: list[UUID] | None = Field(default=None, max_length=500)


class SagaOut(Out):
    """A long transaction whose compensation failed too often; `step` is the one that cannot be undone."""

    id: UUID
    kind: str
    key: str
    step: str
    attempts: int
    problem: str
    data: dict[str, Any]
    started_at: datetime
    changed_at: datetime


class ResumeIn(In):
    """Which sagas to go on with; all stuck ones when left out."""

    sagas: list[UUID] | None = Field(default=None, max_length=500)


class Resumed(Out):
    """How many sagas are compensated again."""

    resumed: int


class AuditState(Out):
    """Whether the audit log's chain is whole; `broken` lists the rows that do not fit.

    Keep `rows` and `head` elsewhere: a log whose newest rows were cut off is whole, but no longer goes that far.
    """

    whole: bool
    broken: list[int]
    rows: int
    head: str


class QueueOut(Out):
    """How far a queue is behind: `waiting` at the broker, `again` after a failed attempt, `parked` for a person.

    `waiting` is null where the process that answers has no connection to the broker, or the broker is away.
    """

    queue: str
    waiting: int | None
    again: int
    parked: int
    oldest_at: datetime | None


class StandingOut(Out):
    """How far a service is behind: events that have not left, and what has come and is not handled."""

    unpublished: int
    oldest_unpublished_seconds: float
    queues: list[QueueOut]


def _out(row: Row) -> ParkedOut:
    return ParkedOut.model_validate(row)


def _scope(request: Request) -> Scope:
    return runtime_of(request).scope


Own = Annotated[Scope, Depends(_scope)]
"""What the service has, for reads that take connections of their own."""


def _add_queues(router: Router) -> None:
    @router.get("/queues", policy=needs("operations:read"))
    async def show_queues(request: Request, scope: Own) -> StandingOut:
        """Return how far the service is behind, queue by queue."""
        waiting, (unpublished, age) = await runtime_of(request).standing()
        rows = await Parked(scope).by_queue()
        return StandingOut(
            unpublished=unpublished,
            oldest_unpublished_seconds=round(age, 1),
            queues=[
                QueueOut(
                    queue=queue, waiting=waiting.get(queue), **asdict(rows.get(queue, Standing()))
                )
                for queue in sorted({*waiting, *rows})
            ],
        )


@cache
def operations_router(service: str) -> Router:
    """Return the operators' routes of one service; worked out once, for every app of the process that has them."""
    router = Router(prefix=f"/v1/operations/{service}", tags=["operations"])

    _add_queues(router)

    @router.get("/parked", policy=needs("operations:read"), response_model=Page[ParkedOut])
    async def list_parked(
        scope: Own, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> dict[str, Any]:
        """Return parked messages, the newest first."""
        keys = read_cursor(cursor, moment, UUID)
        after = (keys[0], keys[1]) if keys else None
        rows = await Parked(scope).list(after=after, limit=limit)
        more = encode_cursor(rows[-1].last_at, rows[-1].event_id) if len(rows) == limit else None
        return {"items": [_out(row) for row in rows], "next_cursor": more}

    @router.get("/parked/{queue}/{event_id}", policy=needs("operations:read"))
    async def show_parked(scope: Own, queue: str, event_id: UUID) -> ParkedDetail:
        """Return one parked message with its content."""
        row = await Parked(scope).get(queue, event_id)
        if row is None:
            raise NotFound("No such parked message")
        return ParkedDetail(
            **_out(row).model_dump(), content=row.raw.decode("utf-8", errors="replace")
        )

    @router.post("/parked/replay", policy=needs("operations:write", privileged=True))
    async def replay_parked(body: ReplayIn, tx: Write) -> Replayed:
        """Try parked messages again; each has its effect once, however often it is replayed."""
        keys = (
            None if body.messages is None else [(one.queue, one.event_id) for one in body.messages]
        )
        return Replayed(replayed=await replay(tx, keys))

    @router.get("/timers", policy=needs("operations:read"), response_model=Page[TimerOut])
    async def list_parked_timers(
        tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> dict[str, Any]:
        """Return the timers that failed five times and wait for a person, the longest overdue first."""
        keys = read_cursor(cursor, moment, UUID)
        rows = await timers.list_parked(tx, limit, after=(keys[0], keys[1]) if keys else None)
        more = encode_cursor(rows[-1].due_at, rows[-1].id) if len(rows) == limit else None
        return {"items": [TimerOut.model_validate(row) for row in rows], "next_cursor": more}

    @router.post("/timers/replay", policy=needs("operations:write", privileged=True))
    async def replay_timers(body: TimersIn, tx: Write) -> Replayed:
        """Fire parked timers now; mend first what their handler stumbled over."""
        return Replayed(replayed=await timers.replay(tx, body.timers))

    @router.get("/sagas", policy=needs("operations:read"), response_model=Page[SagaOut])
    async def list_stuck_sagas(
        tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> dict[str, Any]:
        """Return the sagas that wait for a person, the longest stuck first."""
        keys = read_cursor(cursor, moment, UUID)
        rows = await sagas.list_stuck(tx, limit, after=(keys[0], keys[1]) if keys else None)
        more = encode_cursor(rows[-1].changed_at, rows[-1].id) if len(rows) == limit else None
        return {"items": [SagaOut.model_validate(row) for row in rows], "next_cursor": more}

    @router.post("/sagas/resume", policy=needs("operations:write", privileged=True))
    async def resume_sagas(body: ResumeIn, tx: Write) -> Resumed:
        """Try the compensation of stuck sagas again; mend what stopped it first."""
        return Resumed(resumed=await sagas.resume(tx, body.sagas))

    @router.get("/audit", policy=needs("operations:read"))
    async def check_audit(scope: Own) -> AuditState:
        """Walk the hash chain of the audit log."""
        pool = await scope.database.pool()
        broken = await audit.verify(pool)
        rows, head = await audit.head(pool)
        return AuditState(whole=not broken, broken=broken, rows=rows, head=head)

    return router
