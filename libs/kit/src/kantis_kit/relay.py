"""Carries outbox rows to the broker: claims, publishes with confirms, deletes what is confirmed.

Rows are claimed by flag with SKIP LOCKED and a lease, never by a cursor: a transaction that commits late is found late,
not skipped. Two relays share the work. What the broker does not confirm stays and is tried again.
"""

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from kantis_contracts.base import Envelope
from kantis_kit import failpoints, observability
from kantis_kit.brokers.port import Broker
from kantis_kit.db.database import is_away
from kantis_kit.db.tables import OUTBOX_CHANNEL
from kantis_kit.errors import BrokerError, Unroutable
from kantis_kit.ids import new_id
from kantis_kit.observability import OFF
from kantis_kit.outbox import to_envelope
from kantis_kit.signing import Keys
from kantis_kit.tx import Scope

log = observability.get_logger(__name__)

LEASE_SECONDS = (
    15  # three times the publish deadline: a slow broker does not make a second relay publish again
)
POLL_SECONDS = 1.0  # only for what a lost notification or an ended lease leaves behind

_CLAIM = """
WITH due AS (
    SELECT seq FROM outbox WHERE claimed_until IS NULL OR claimed_until < clock_timestamp()
    ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE outbox SET claimed_by = $1, claimed_until = clock_timestamp() + make_interval(secs => $3)
    FROM due WHERE outbox.seq = due.seq RETURNING outbox.*
)
SELECT * FROM claimed ORDER BY seq
"""
_DONE = "DELETE FROM outbox WHERE seq = ANY($1::bigint[]) AND claimed_by = $2"
_FAILED = """
UPDATE outbox SET claimed_by = NULL, attempts = attempts + 1, problem = failed.problem,
       claimed_until = clock_timestamp() + make_interval(secs => least(30, 0.1 * 2 ^ least(attempts, 10)))
FROM unnest($1::bigint[], $2::text[]) AS failed (seq, problem)
WHERE outbox.seq = failed.seq AND outbox.claimed_by = $3
"""
_LAG = "SELECT count(*) AS rows, extract(epoch FROM clock_timestamp() - min(recorded_at)) AS age FROM outbox"


class Relay:
    """The relay of one service in one process."""

    def __init__(
        self, scope: Scope, broker: Broker, keys: Keys, *, service: str, batch: int = 500
    ) -> None:
        self._scope = scope
        self._broker = broker
        self._keys = keys
        self._source = service
        self._batch = batch
        self._woken = asyncio.Event()
        self._notify = asyncio.Event()

    def wake(self) -> None:
        """Say that a transaction with events has committed in this process."""
        self._woken.set()
        self._notify.set()

    def wake_here(self) -> None:
        """Say that another process has told of events."""
        self._woken.set()

    async def run(self) -> None:
        """Publish for ever; waits for the wake-up, and looks once a second for leftovers."""
        while True:
            try:
                published = await self.step()
            except Exception as error:  # noqa: BLE001 - the loop must outlive whatever a step meets
                level = (
                    log.warning if is_away(error) or isinstance(error, BrokerError) else log.error
                )
                level("relay.failed", error=type(error).__name__, service=self._source)
                await asyncio.sleep(0.2)
                continue
            if published:
                continue
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue
            finally:
                self._woken.clear()

    async def run_notifier(self) -> None:
        """Tell relays in other processes, at most one notification under way.

        NOTIFY inside the business transaction would make all commits of a database queue behind one lock; this one
        follows the commit, and a lost one costs a poll interval.
        """
        while True:
            await self._notify.wait()
            self._notify.clear()
            try:
                pool = await self._scope.database.pool()
                await pool.execute("SELECT pg_notify($1, '')", OUTBOX_CHANNEL)
            except Exception as error:  # noqa: BLE001 - a lost notification is covered by the poll
                log.debug("relay.notify_failed", error=type(error).__name__)
                await asyncio.sleep(0.2)

    async def step(self) -> int:
        """Publish one batch; return how many events were confirmed."""
        pool = await self._scope.database.pool()
        token = new_id()
        rows = await pool.fetch(_CLAIM, token, self._batch, LEASE_SECONDS)
        if not rows:
            return 0
        await failpoints.reach("relay.claimed")
        envelopes = [self._keys.sign(to_envelope(row, self._source)) for row in rows]
        with self._span(envelopes):
            outcomes = await self._broker.publish(envelopes)
        await failpoints.reach("relay.published")
        await self._settle(pool, token, [row["seq"] for row in rows], outcomes)
        for envelope, outcome in zip(envelopes, outcomes, strict=True):
            if outcome is None:
                observability.events_published.labels(self._source, envelope.type).inc()
        _tell(envelopes, outcomes)
        return sum(outcome is None for outcome in outcomes)

    def _span(self, envelopes: list[Envelope]) -> AbstractContextManager[None]:
        if self._scope.tracing is OFF:
            return nullcontext()
        # A batch belongs to many traces: it is a trace of its own, linked to them.
        return self._scope.tracing.span(
            "publish",
            kind="producer",
            links=[envelope.traceparent for envelope in envelopes],
            attributes={"messaging.batch.message_count": len(envelopes)},
        )

    @staticmethod
    async def _settle(
        pool: Any, token: UUID, numbers: list[int], outcomes: list[BrokerError | None]
    ) -> None:
        done = [seq for seq, outcome in zip(numbers, outcomes, strict=True) if outcome is None]
        failed = [(seq, str(o)) for seq, o in zip(numbers, outcomes, strict=True) if o is not None]
        if done:
            await pool.execute(_DONE, done, token)
        if failed:
            await pool.execute(
                _FAILED, [seq for seq, _ in failed], [problem for _, problem in failed], token
            )

    async def lag(self) -> tuple[int, float]:
        """Return how many events wait and the age of the oldest in seconds; sets the metrics."""
        pool = await self._scope.database.pool()
        row = await pool.fetchrow(_LAG)
        rows, age = row["rows"], float(row["age"] or 0.0)
        observability.outbox_rows.labels(self._source).set(rows)
        observability.outbox_age_seconds.labels(self._source).set(age)
        return rows, age


def _tell(envelopes: list[Envelope], outcomes: list[BrokerError | None]) -> None:
    failed = [(e.type, o) for e, o in zip(envelopes, outcomes, strict=True) if o is not None]
    log.debug("outbox.published", items=len(outcomes) - len(failed))
    if failed:
        unroutable = sorted({kind for kind, problem in failed if isinstance(problem, Unroutable)})
        log.warning("outbox.not_published", items=len(failed), unroutable=unroutable)
