"""Durable timers and recurring jobs: rows, taken by whoever is free, on the injected clock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from cronsim import CronSim
from sqlalchemy import Row, text

from kantis_kit import failpoints, observability
from kantis_kit.db.database import is_away
from kantis_kit.tx import ReadTx, Scope, Tx, write

log = observability.get_logger(__name__)

MAX_ATTEMPTS = 5
BATCH = 200
IDLE_SECONDS = 0.5
JOB_PAUSE = timedelta(seconds=30)  # a job that fails is tried again, but not in a tight loop


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer that has become due."""

    id: UUID
    kind: str
    key: str
    due_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TimerHandler:
    """What happens when timers of a kind become due; it gets all of them that are due now."""

    kind: str
    function: Callable[[Tx, Sequence[Timer]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """Recurring work: a cron expression (UTC) or an interval."""

    name: str
    function: Callable[[Tx], Awaitable[None]]
    cron: str = ""
    every: timedelta | None = None

    def next_after(self, moment: datetime) -> datetime:
        """Return the next moment at which the job is due."""
        if self.every is not None:
            return moment + self.every
        upcoming: datetime = next(CronSim(self.cron, moment.astimezone(UTC)))
        return upcoming


def on_timer(
    kind: str,
) -> Callable[[Callable[[Tx, Sequence[Timer]], Awaitable[None]]], TimerHandler]:
    """Bind a function to a kind of timer."""
    return lambda function: TimerHandler(kind, function)


def recurring(
    name: str, *, cron: str = "", every: timedelta | None = None
) -> Callable[[Callable[[Tx], Awaitable[None]]], Job]:
    """Run a function again and again; one process at a time does it."""
    if bool(cron) == bool(every):
        message = "a recurring job has either a cron expression or an interval"
        raise TypeError(message)
    return lambda function: Job(name, function, cron, every)


def timers_in(*modules: ModuleType) -> list[TimerHandler]:
    """Collect the timer handlers of `jobs.py` modules."""
    return [
        v
        for module in modules
        for _, v in sorted(vars(module).items())
        if isinstance(v, TimerHandler)
    ]


def jobs_in(*modules: ModuleType) -> list[Job]:
    """Collect the recurring jobs of `jobs.py` modules."""
    return [v for module in modules for _, v in sorted(vars(module).items()) if isinstance(v, Job)]


_DUE = text(
    """
    SELECT id, kind, key, due_at, payload FROM timer
    WHERE state = 'waiting' AND due_at <= :now AND kind = :kind
      AND (cast(:only AS uuid) IS NULL OR id = :only)
    ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
    """
)
_DONE = text("DELETE FROM timer WHERE id = ANY(cast(:ids AS uuid[])) AND due_at <= :now")
_FAILED = text(
    """
    UPDATE timer SET attempts = attempts + 1, problem = :problem,
        due_at = cast(:now AS timestamptz) + make_interval(secs => least(300, 0.5 * 4 ^ attempts)),
        state = CASE WHEN attempts + 1 >= :max_attempts THEN 'parked' ELSE 'waiting' END
    WHERE id = :id
    """
)
_PARKED = text(
    """
    SELECT id, kind, key, attempts, problem, due_at FROM timer
    WHERE state = 'parked' AND (cast(:moment AS timestamptz) IS NULL OR (due_at, id) > (:moment, cast(:id AS uuid)))
    ORDER BY due_at, id LIMIT :limit
    """
)
_REPLAY = text(
    """
    UPDATE timer SET state = 'waiting', attempts = 0, problem = '', due_at = :now
    WHERE state = 'parked' AND (cast(:ids AS uuid[]) IS NULL OR id = ANY(cast(:ids AS uuid[]))) RETURNING id, kind
    """
)
_NEXT = "SELECT name, next_at FROM job WHERE name = ANY($1)"
_KINDS = "SELECT DISTINCT kind FROM timer WHERE state = 'waiting' AND due_at <= $1"


async def list_parked(
    tx: ReadTx, limit: int = 100, *, after: tuple[datetime, UUID] | None = None
) -> Sequence[Row[Any]]:
    """Return the timers that failed five times, the longest overdue first: they wait for a person."""
    at, id_ = after or (None, None)
    return (await tx.execute(_PARKED, {"limit": limit, "moment": at, "id": id_})).all()


async def count_parked(tx: ReadTx) -> int:
    """Return how many timers wait for a person."""
    return int(await tx.scalar(text("SELECT count(*) FROM timer WHERE state = 'parked'")))


async def replay(tx: Tx, ids: Sequence[UUID] | None = None) -> int:
    """Let parked timers fire again, now and with all their attempts; all of them when no ids are given."""
    wanted = None if ids is None else list(ids)
    freed = (await tx.execute(_REPLAY, {"ids": wanted, "now": tx.clock.now()})).all()
    for row in freed:
        tx.audit("timer.replay", str(row.id), kind=row.kind)
    return len(freed)


class TimerLoop:
    """The timer loop of one service in one process."""

    def __init__(
        self, scope: Scope, *, service: str, handlers: Sequence[TimerHandler], jobs: Sequence[Job]
    ) -> None:
        self._scope = scope
        self._service = service
        self._handlers = {handler.kind: handler for handler in handlers}
        self._jobs = jobs
        self._not_before: dict[str, datetime] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that a timer has been set in this process."""
        self._woken.set()

    async def run(self) -> None:
        """Fire what is due, for ever."""
        while True:
            try:
                done = await self.step()
            except Exception as error:  # noqa: BLE001 - the loop must outlive whatever a timer meets
                log.warning(
                    "timers.failed",
                    service=self._service,
                    error=type(error).__name__,
                    problem=observability.name_of(error),
                )
                done = 0
            if done:
                continue
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue
            finally:
                self._woken.clear()

    async def step(self) -> int:
        """Fire every timer and job that is due now; return how many."""
        fired = 0
        now = self._scope.clock.now()
        pool = await self._scope.database.pool()
        for record in await pool.fetch(_KINDS, now):
            handler = self._handlers.get(record["kind"])
            if handler is not None:
                fired += await self._fire(handler, now)
        for job in await self._due_jobs(pool, now):
            fired += await self._run_job_safely(job, now)
        return fired

    async def _due_jobs(self, pool: "asyncpg.Pool[Any]", now: datetime) -> list[Job]:
        """Return the jobs whose time has come; other processes' runs count, and are asked for all at once."""
        waiting = [job for job in self._jobs if now >= self._not_before.get(job.name, now)]
        if not waiting:
            return []
        records = await pool.fetch(_NEXT, [job.name for job in waiting])
        self._not_before.update((record["name"], record["next_at"]) for record in records)
        return [job for job in waiting if now >= self._not_before.get(job.name, now)]

    async def _run_job_safely(self, job: Job, now: datetime) -> int:
        try:
            return await self._run_job(job, now)
        except Exception as error:
            if is_away(error):
                raise
            self._not_before[job.name] = now + JOB_PAUSE
            log.warning(
                "job.failed",
                job=job.name,
                error=type(error).__name__,
                problem=observability.name_of(error),
            )
            return 0

    async def _fire(self, handler: TimerHandler, now: datetime) -> int:
        try:
            return len(await self._fire_due(handler, now))
        except Exception as error:
            if is_away(error):
                raise
        # Together they failed; alone, the good ones pass and the bad one is counted.
        pool = await self._scope.database.pool()
        due = await pool.fetch(
            "SELECT id FROM timer WHERE state = 'waiting' AND due_at <= $1 AND kind = $2 ORDER BY due_at LIMIT $3",
            now,
            handler.kind,
            BATCH,
        )
        for record in due:
            try:
                await self._fire_due(handler, now, only=record["id"])
            except Exception as error:
                if is_away(error):
                    raise
                log.warning("timer.failed", kind=handler.kind, error=type(error).__name__)
                async with write(self._scope, actor=f"timer:{handler.kind}") as tx:
                    await tx.execute(
                        _FAILED,
                        {
                            "id": record["id"],
                            "now": now,
                            "problem": observability.problem_of(error),
                            "max_attempts": MAX_ATTEMPTS,
                        },
                    )
        return len(due)

    async def _fire_due(
        self, handler: TimerHandler, now: datetime, only: UUID | None = None
    ) -> list[Timer]:
        async with write(self._scope, actor=f"timer:{handler.kind}") as tx:
            rows = await tx.execute(
                _DUE, {"now": now, "kind": handler.kind, "limit": BATCH, "only": only}
            )
            timers = [
                Timer(row.id, row.kind, row.key, row.due_at, _payload(row.payload)) for row in rows
            ]
            if not timers:
                return []
            # Gone before the handler runs: a handler that sets the same timer anew keeps what it set.
            await tx.execute(_DONE, {"ids": [timer.id for timer in timers], "now": now})
            await handler.function(tx, timers)
            await failpoints.reach("timer.before_commit")
        for timer in timers:
            late = (now - timer.due_at).total_seconds()
            observability.timer_lateness_seconds.labels(self._service).observe(max(0.0, late))
        return timers

    async def _run_job(self, job: Job, now: datetime) -> int:
        async with write(self._scope, actor=f"job:{job.name}") as tx:
            await tx.execute(
                text(
                    "INSERT INTO job (name, next_at) VALUES (:name, :next) ON CONFLICT DO NOTHING"
                ),
                {"name": job.name, "next": now},
            )
            due = await tx.scalar(
                text("SELECT next_at FROM job WHERE name = :name FOR UPDATE SKIP LOCKED"),
                {"name": job.name},
            )
            if due is None:
                return 0
            if due > now:
                self._not_before[job.name] = due
                return 0
            upcoming = job.next_after(now)
            await tx.execute(
                text("UPDATE job SET next_at = :next, last_at = :now WHERE name = :name"),
                {"name": job.name, "next": upcoming, "now": now},
            )
            await job.function(tx)
        self._not_before[job.name] = upcoming
        return 1


def _payload(value: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(value) if isinstance(value, str | bytes) else value
    return loaded
