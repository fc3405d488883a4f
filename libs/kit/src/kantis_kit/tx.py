"""The transaction of one request or one delivery; nobody but this module commits.

`write` opens one, hands a `Tx` to the use case, and commits rows, staged events, timers and audit entries together.
What must happen only after the commit (waking the relay) is done here too.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import orjson
from sqlalchemy import Executable, Result, ScalarResult, inspect, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached

from kantis_contracts.base import Envelope, Event
from kantis_kit import audit, failpoints, outbox
from kantis_kit.clock import Clock, SystemClock
from kantis_kit.db import Database
from kantis_kit.db.database import is_away
from kantis_kit.ids import new_id
from kantis_kit.observability import OFF, Tracing, correlation_id, current_traceparent
from kantis_kit.settings import ServiceSettings

ModelT = TypeVar("ModelT")
FoundT = TypeVar("FoundT")
SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
_PART_BYTES = 1 << 19


@dataclass
class Scope:
    """What every transaction of a service shares."""

    database: Database
    settings: ServiceSettings
    clock: Clock = field(default_factory=SystemClock)
    after_commit: Callable[[], None] = lambda: None
    """Wakes this process's relay and tells the others."""
    after_schedule: Callable[[], None] = lambda: None
    """Wakes the timer loop."""
    extras: dict[type, Any] = field(default_factory=dict)
    """What a service hands to its use cases, by type (a link signer, a renderer)."""
    tracing: Tracing = OFF


class ReadTx:
    """A read-only transaction: queries take this, so that the type checker refuses a write in a read handler."""

    def __init__(self, session: AsyncSession, scope: Scope) -> None:
        self._session = session
        self._scope = scope
        self.clock = scope.clock

    async def _begun(self, ask: Callable[[], Awaitable[FoundT]]) -> FoundT:
        """Ask the database; the first statement is sent once more when its pooled connection turns out to be dead.

        Nothing has been done by then and nothing waits for the flush, so nothing can be lost or done twice.
        """
        if self._session.in_transaction():
            return await ask()
        try:
            return await ask()
        except Exception as error:
            if not is_away(error) or isinstance(error, TimeoutError):
                raise
            await self._session.rollback()
            return await ask()

    def settings(self, kind: type[SettingsT]) -> SettingsT:
        """Return the service's settings, typed."""
        settings = self._scope.settings
        if not isinstance(settings, kind):
            message = f"this service has {type(settings).__name__}, not {kind.__name__}"
            raise TypeError(message)
        return settings

    def use(self, kind: type[ModelT]) -> ModelT:
        """Return what the composition root has handed in for this type."""
        found = self._scope.extras.get(kind)
        if not isinstance(found, kind):
            message = f"{kind.__name__} was not given to this service"
            raise TypeError(message)
        return found

    async def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> Result[Any]:
        """Run a statement and return its rows."""
        return await self._begun(lambda: self._session.execute(statement, parameters))

    async def scalars(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> ScalarResult[Any]:
        """Run a statement and return the first column."""
        return (await self.execute(statement, parameters)).scalars()

    async def scalar(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Any:
        """Run a statement and return its single value, or None."""
        return (await self.execute(statement, parameters)).scalar()

    async def get(self, model: type[ModelT], key: Any) -> ModelT | None:
        """Return one row by its primary key, or None."""
        return await self._begun(lambda: self._session.get(model, key))


class Tx(ReadTx):
    """A read-write transaction. Use cases change rows and stage events; the edge commits."""

    def __init__(
        self, session: AsyncSession, scope: Scope, *, actor: str, cause: Envelope | None = None
    ) -> None:
        super().__init__(session, scope)
        self.actor = actor
        current = correlation_id.get()
        self.cause = outbox.Cause(
            correlation_id=cause.correlation_id if cause else (current or new_id()),
            causation_id=cause.id if cause else None,
            traceparent=current_traceparent() or (cause.traceparent if cause else None),
        )
        self._staged: list[outbox.Staged] = []
        self._audited: list[audit.Entry] = []
        self._scheduled = False
        self._staged_any = False
        self.has_audited = False
        """Whether something is in the audit log with this transaction already."""

    def caused_by(self, envelope: Envelope) -> None:
        """Say that what is staged from here on follows from this event (a batch handles many)."""
        self.cause = outbox.Cause(
            envelope.correlation_id, envelope.id, current_traceparent() or envelope.traceparent
        )

    def add(self, row: object) -> None:
        """Insert or update this row at the flush."""
        self._session.add(row)

    def add_all(self, rows: Iterable[object]) -> None:
        """Insert or update these rows at the flush."""
        self._session.add_all(rows)

    def known(self, model: type[ModelT], values: Mapping[str, Any]) -> ModelT:
        """Return a row that `fetch` has read, with all its columns, as if it had come the long way.

        What is changed of it is written at the flush. One that this transaction holds already stays as it is held.
        """
        key = inspect(model).identity_key_from_primary_key(
            [values[one.key] for one in inspect(model).primary_key]
        )
        held = self._session.identity_map.get(key)
        if held is None:
            held = model(**values)
            make_transient_to_detached(held)
            self._session.add(held)
        return held

    async def delete(self, row: object) -> None:
        """Delete this row at the flush."""
        await self._session.delete(row)

    async def flush(self) -> None:
        """Send pending rows to the database now; say in a comment why it cannot wait."""
        await self._session.flush()

    async def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write many rows by COPY inside this transaction; jsonb values as str."""
        driver = await self._driver()
        await driver.copy_records_to_table(table, columns=list(columns), records=rows)

    async def copy_text(self, table: str, columns: Sequence[str], data: bytes) -> None:
        """Write many rows by COPY that are in PostgreSQL's text format already, made beside the event loop."""
        driver = await self._driver()

        async def parts() -> AsyncIterator[bytes]:
            for start in range(0, len(data), _PART_BYTES):
                yield data[start : start + _PART_BYTES]

        await driver.copy_to_table(table, source=parts(), columns=list(columns), format="text")

    async def _driver(self) -> Any:
        connection = await self._session.connection()
        driver = (await connection.get_raw_connection()).driver_connection
        if driver is None:
            message = "the connection is gone"
            raise ConnectionError(message)
        if not driver.is_in_transaction():
            # The driver's transaction begins with the first statement that goes the long way.
            await self.execute(_FIRST)
        return driver

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """Run a statement of the driver's own ($1, $2 …) inside this transaction; pending rows are not flushed first.

        For hot paths, where one statement with an array per column is all there is to do.
        """
        driver = await self._driver()
        return list(await driver.fetch(statement, *arguments))

    def stage(
        self,
        *events: Event | outbox.Encoded,
        subject: str | None = None,
        occurred_at: datetime | None = None,
    ) -> None:
        """Publish these events if and when this transaction commits; an event without items is nothing."""
        moment = occurred_at or self.clock.now()
        self._staged.extend(
            outbox.Staged(event, subject, moment) for event in events if event.items
        )

    async def schedule(
        self, kind: str, key: str, due_at: datetime, payload: Mapping[str, Any] | None = None
    ) -> None:
        """Set the timer (kind, key); an earlier one of the same name is replaced."""
        await self.schedule_many(kind, [(key, due_at, payload or {})])

    async def schedule_many(
        self, kind: str, timers: Sequence[tuple[str, datetime, Mapping[str, Any]]]
    ) -> None:
        """Set many timers of one kind, each as (key, due_at, payload)."""
        if not timers:
            return
        await self._session.execute(
            _SCHEDULE,
            {
                "kind": kind,
                "ids": [new_id() for _ in timers],
                "keys": [key for key, _, _ in timers],
                "due": [due for _, due, _ in timers],
                "payloads": [
                    orjson.dumps(payload, default=str).decode() for _, _, payload in timers
                ],
            },
        )
        self._scheduled = True

    async def cancel(self, kind: str, keys: Sequence[str]) -> None:
        """Forget timers; those that are gone already are no error."""
        await self._session.execute(_CANCEL, {"kind": kind, "keys": list(keys)})

    def audit(self, action: str, subject: str, **detail: Any) -> None:
        """Record a privileged change in the hash-chained log, with this transaction."""
        entry = audit.Entry(
            at=self.clock.now(),
            actor=self.actor,
            action=action,
            subject=subject,
            detail=detail,
            correlation_id=self.cause.correlation_id,
        )
        self._audited.append(entry)
        self.has_audited = True

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What fails in this block takes back its own rows, events and audit entries; all before it stands."""
        await self.seal()
        had_audited = self.has_audited
        try:
            async with self._session.begin_nested():
                yield
        except BaseException:
            self._staged, self._audited, self.has_audited = [], [], had_audited
            raise

    @property
    def has_staged(self) -> bool:
        """Whether events wait for this transaction's commit."""
        return bool(self._staged)

    async def seal(self) -> None:
        """Write what was staged and audited so far; called before the commit and between events of a batch."""
        if self._staged:
            await self._session.flush()
            await outbox.insert(
                self._session, self._staged, self.cause, recorded_at=self.clock.now()
            )
            self._staged_any = True
            self._staged = []
        if self._audited:
            await audit.append(self._session, self._audited)
            self._audited = []

    async def finish(self) -> None:
        """Commit; then wake who waits for it. Only the kit's edges call this."""
        await self.seal()
        await failpoints.reach("tx.before_commit")
        await self._session.commit()
        await failpoints.reach("tx.after_commit")
        if self._staged_any:
            self._scope.after_commit()
        if self._scheduled:
            self._scope.after_schedule()


_FIRST = text("SELECT 1")
_SCHEDULE = text(
    """
    INSERT INTO timer (id, kind, key, due_at, payload)
    SELECT id, :kind, key, due_at, payload
    FROM unnest(cast(:ids AS uuid[]), cast(:keys AS text[]), cast(:due AS timestamptz[]), cast(:payloads AS jsonb[]))
      AS new (id, key, due_at, payload)
    ON CONFLICT (kind, key) DO UPDATE
      SET due_at = excluded.due_at, payload = excluded.payload, attempts = 0, state = 'waiting', problem = ''
    """
)
_CANCEL = text("DELETE FROM timer WHERE kind = :kind AND key = ANY(cast(:keys AS text[]))")


@asynccontextmanager
async def write(
    scope: Scope, *, actor: str = "system", cause: Envelope | None = None
) -> AsyncIterator[Tx]:
    """Open a transaction and commit it when the block ends well; nothing of it stays when it does not."""
    async with scope.database.sessions() as session:
        tx = Tx(session, scope, actor=actor, cause=cause)
        yield tx
        await tx.finish()


@asynccontextmanager
async def read(scope: Scope) -> AsyncIterator[ReadTx]:
    """Open a read-only transaction."""
    async with scope.database.sessions() as session:
        tx = ReadTx(session, scope)
        await tx.execute(text("SET TRANSACTION READ ONLY"))
        yield tx


__all__ = ["ReadTx", "Scope", "Tx", "read", "write"]
