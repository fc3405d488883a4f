"""What every service does when somebody's data is deleted: remember the ids, empty its rows, and answer.

`forgotten` holds ids that name nobody. They are remembered for good, so that an event which comes late is recognised.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import Executable, MetaData, Table, Uuid, delete, func, select, text

from kantis_contracts.privacy import ErasureReceipt, Kept
from kantis_kit.db.sets import one_of
from kantis_kit.scrubbing import Blanks, scrub, scrub_late
from kantis_kit.timers import Job
from kantis_kit.tx import ReadTx, Tx

LATE = timedelta(days=2)
"""Within it comes what comes late, as a rule; later comers are found by the pass over everybody."""
PAGE = 10_000

_REMEMBER = text(
    """
    INSERT INTO forgotten (id, cause, at)
    SELECT * FROM unnest(cast(:ids AS uuid[]), cast(:causes AS uuid[]), cast(:moments AS timestamptz[]))
    ON CONFLICT DO NOTHING RETURNING id
    """
)
_FORGOTTEN = text(
    """
    SELECT id FROM forgotten WHERE id > :after AND (cast(:since AS timestamptz) IS NULL OR at > :since)
    ORDER BY id LIMIT :page
    """
)
_SWEEP_LOCK = 0x7377656570  # 'sweep': two passes that delete the same rows would wait for each other in a circle
_WAIT_FOR_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_PERIODS = text("SELECT kind, days FROM keep_period")
_SET_PERIOD = text(
    """
    INSERT INTO keep_period (kind, days, version)
    SELECT * FROM unnest(cast(:kinds AS text[]), cast(:days AS int[]), cast(:versions AS bigint[]))
    ON CONFLICT (kind) DO UPDATE SET days = excluded.days, version = excluded.version
      WHERE keep_period.version < excluded.version
    """
)


async def remember(tx: Tx, rows: Iterable[tuple[UUID, UUID, datetime]]) -> set[UUID]:
    """Remember ids for good, each with what caused it and when; return those that are new."""
    ordered = sorted({row[0]: row for row in rows}.values())
    if not ordered:
        return set()
    ids, causes, moments = (list(column) for column in zip(*ordered, strict=True))
    found = await tx.scalars(_REMEMBER, {"ids": ids, "causes": causes, "moments": moments})
    return set(found)


async def list_forgotten(tx: ReadTx, *, after: UUID, since: datetime | None = None) -> list[UUID]:
    """Return a page of the ids that are forgotten, or were since, in their order."""
    return list(await tx.scalars(_FORGOTTEN, {"after": after, "since": since, "page": PAGE}))


class Counts:
    """How many rows of which kind were emptied for whom."""

    def __init__(self) -> None:
        self._of: dict[UUID, Counter[str]] = defaultdict(Counter)

    async def run(self, tx: Tx, kind: str, statement: Executable) -> None:
        """Run a statement that returns the person's id of every row it has changed."""
        for id_ in await tx.scalars(statement):
            self.add(id_, kind)

    async def delete(self, tx: Tx, tables: Iterable[Table], ids: Collection[UUID]) -> None:
        """Delete the rows of these tables that name one of these persons."""
        chosen = one_of(sorted(ids), Uuid())
        for table in tables:
            person_id = table.c.person_id
            statement = delete(table).where(person_id == chosen).returning(person_id)
            await self.run(tx, table.name, statement)

    def add(self, id_: UUID, kind: str) -> None:
        """Count one row."""
        self._of[id_][kind] += 1

    def sum(self, ids: Iterable[UUID]) -> dict[str, int]:
        """Return the figures of these ids together."""
        whole: Counter[str] = Counter()
        for id_ in ids:
            whole.update(self._of.get(id_, {}))
        return dict(sorted(whole.items()))


class Request(Protocol):
    """Ids to be forgotten together, and what caused it."""

    @property
    def erasure_id(self) -> UUID:
        """What caused it."""
        ...

    @property
    def person_ids(self) -> tuple[UUID, ...]:
        """The ids."""
        ...


Empty = Callable[[Tx, Sequence[UUID], Counts], Awaitable[None]]
"""Deletes or empties a service's rows about persons, and counts them."""


async def forget(
    tx: Tx,
    requests: Sequence[Request],
    *,
    empty: Empty,
    metadata: MetaData,
    kept: Mapping[str, str],
    blanks: Blanks,
    is_reminder: bool = False,
) -> tuple[ErasureReceipt, ...]:
    """Remember the ids, empty the service's own rows and what waits in transit; return a receipt for each request.

    `kept` says of which tables rows stay, and why. A reminder is answered where there was something to forget, or the
    ids were not known.
    """
    now = tx.clock.now()
    ids = sorted({id_ for one in requests for id_ in one.person_ids})
    new = await remember(
        tx, [(id_, one.erasure_id, now) for one in requests for id_ in one.person_ids]
    )
    counts = Counts()
    await empty(tx, ids, counts)
    transit = await scrub(tx, ids, blanks)
    left = await _count_rows(tx, metadata, kept, ids)
    done = []
    for one in requests:
        removed = counts.sum(one.person_ids)
        if is_reminder and not removed and not new.intersection(one.person_ids):
            continue
        if len(requests) == 1:  # of several it cannot be told whose message it was
            removed |= transit
        stays = tuple(
            Kept(kind=kind, rows=rows, reason=kept[kind])
            for kind, found in left.items()
            if (rows := sum(found.get(id_, 0) for id_ in one.person_ids))
        )
        done.append(
            ErasureReceipt(erasure_id=one.erasure_id, removed=removed, kept=stays, done_at=now)
        )
    return tuple(done)


async def _count_rows(
    tx: ReadTx, metadata: MetaData, names: Iterable[str], ids: Collection[UUID]
) -> dict[str, dict[UUID, int]]:
    """Return how many rows of which person stand in these tables; a table that names nobody is left out."""
    found: dict[str, dict[UUID, int]] = {}
    chosen = one_of(sorted(ids), Uuid())
    for name in names:
        table = metadata.tables.get(name)
        if table is None or "person_id" not in table.c:
            continue
        person_id = table.c.person_id
        rows = await tx.execute(
            select(person_id, func.count()).where(person_id == chosen).group_by(person_id)
        )
        found[name] = {one[0]: one[1] for one in [tuple(row) for row in rows]}
    return found


def tables_naming(metadata: MetaData, *, without: Collection[str]) -> list[Table]:
    """Return the tables whose rows name a person, those first that refer to others."""
    return [
        table
        for table in reversed(metadata.sorted_tables)
        if "person_id" in table.c and table.name not in without
    ]


async def sweep(tx: Tx, *, empty: Empty, blanks: Blanks, is_whole: bool = False) -> None:
    """Empty what an event that came late has written of forgotten persons, and what has come to wait.

    Of those who were forgotten in the last two days, which is cheap enough for every minute; or of everybody. A pass
    over the last days is left out while another pass runs.
    """
    late = tx.clock.now() - LATE
    if not is_whole and not await tx.scalar(_TRY_LOCK, {"lock": _SWEEP_LOCK}):
        return
    if is_whole:
        await tx.execute(_WAIT_FOR_LOCK, {"lock": _SWEEP_LOCK})
    since, after = None if is_whole else late, UUID(int=0)
    while ids := await list_forgotten(tx, after=after, since=since):
        await empty(tx, ids, Counts())
        after = ids[-1]
    await scrub_late(tx, blanks, since=late)


class Sweep(Protocol):
    """Sweeps a service's own rows."""

    async def __call__(self, tx: Tx, *, is_whole: bool = False) -> None:
        """Sweep of those who were forgotten lately, or of everybody."""
        ...


def sweeps(sweep: Sweep) -> tuple[Job, Job]:
    """Return the recurring work by which nothing that comes late brings anybody back."""

    async def everybody(tx: Tx) -> None:
        await sweep(tx, is_whole=True)

    return (
        Job("privacy.sweep", sweep, every=timedelta(minutes=1)),
        Job("privacy.sweep_all", everybody, every=timedelta(hours=6)),
    )


async def keep_periods(tx: ReadTx) -> dict[str, int]:
    """Return how many days which kind is kept, where that was decided."""
    return {one[0]: one[1] for one in [tuple(row) for row in await tx.execute(_PERIODS)]}


async def set_keep_periods(tx: Tx, periods: Sequence[tuple[str, int, int]]) -> None:
    """Keep decisions as (kind, days, version); an older one changes nothing."""
    ordered = sorted({row[0]: row for row in sorted(periods, key=lambda row: row[2])}.values())
    if ordered:
        kinds, days, versions = (list(column) for column in zip(*ordered, strict=True))
        await tx.execute(_SET_PERIOD, {"kinds": kinds, "days": days, "versions": versions})


class Period(Protocol):
    """How long a kind is kept; the name of the kind begins with the service that holds it."""

    @property
    def kind(self) -> str:
        """The kind."""
        ...

    @property
    def days(self) -> int:
        """How long."""
        ...

    @property
    def version(self) -> int:
        """The highest of a kind holds."""
        ...


async def take_periods(tx: Tx, service: str, decided: Iterable[Period]) -> None:
    """Keep what was decided of the kinds that this service holds."""
    ours = [
        (one.kind, one.days, one.version) for one in decided if one.kind.startswith(f"{service}.")
    ]
    await set_keep_periods(tx, ours)
