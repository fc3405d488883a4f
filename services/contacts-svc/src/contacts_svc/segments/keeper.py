"""Keeps who is in which segment: after what has changed, after what time alone changes, and after new conditions.

One pass is one transaction. Whoever was touched is looked at again with the segments that read such facts, in two
statements per segment, however many were touched. A fact that is committed during a pass comes with a row of its own in
the next one, so that nothing is missed; a pass that fails leaves everything to be done again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Table,
    Uuid,
    and_,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.segments import compile as sql
from contacts_svc.segments import queries
from contacts_svc.segments.conditions import Node
from contacts_svc.segments.model import Segment, SegmentDue, SegmentMember, SegmentState
from contacts_svc.touched import Family, Follower, TouchedPerson, take_touched
from kantis_kit.db.sets import column_set
from kantis_kit.tx import ReadTx, Tx

BATCH = 2_000
"""Touched and due rows that share a pass."""
SLICE = 10_000
"""Persons that are looked at in one pass with a new condition."""
_KEEPER = 7_310_015
"""The advisory lock of the one keeper that works, of however many run."""

_segment: Table = table_of(Segment)
_state: Table = table_of(SegmentState)
_member: Table = table_of(SegmentMember)
_due: Table = table_of(SegmentDue)
_touched: Table = table_of(TouchedPerson)

Scope = Callable[[ColumnElement[UUID]], ColumnElement[bool]]
"""Narrows a column of person ids to those who are looked at."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A segment as the keeper knows it."""

    segment_id: UUID
    wanted: int
    built: int
    after: UUID | None
    condition: Node
    families: Family


async def has_work(tx: ReadTx) -> bool:
    """Say whether a pass would find anything to do."""
    untaken = _touched.c.followed.op("&")(int(Follower.SEGMENTS)) == 0
    left = select(_state.c.segment_id).where(
        or_(_state.c.built < _state.c.wanted, _state.c.wanted == 0)
    )
    return bool(
        await tx.scalar(
            select(
                or_(
                    select(_touched.c.id).where(untaken).exists(),
                    select(_due.c.person_id).where(_due.c.due_at <= tx.clock.now()).exists(),
                    left.exists(),
                )
            )
        )
    )


class Keeper:
    """The keeper of one process; remembers the conditions that it has read."""

    def __init__(self, *, batch: int = BATCH, slice_size: int = SLICE) -> None:
        self._batch = batch
        self._slice = slice_size
        self._known: dict[UUID, Kept] = {}

    async def keep(self, tx: Tx) -> bool:
        """Make one pass; return whether there was anything to do."""
        if not await has_work(tx):
            return False
        if not await tx.scalar(select(func.pg_try_advisory_xact_lock(_KEEPER))):
            return False  # another process keeps them
        now = tx.clock.now()
        segments = await self._load(tx)
        touched = await take_touched(tx, Follower.SEGMENTS, limit=self._batch)
        due = await self._take_due(tx, now)
        families: dict[UUID, Family] = defaultdict(lambda: Family(0))
        for one in touched:
            families[one.person_id] |= one.families
        for segment in segments:
            asked = {key for key, read in families.items() if read & segment.families}
            asked |= due.get(segment.segment_id, set())
            if asked:
                await look(tx, segment, among(asked), now)
        unbuilt = next((one for one in segments if one.built < one.wanted), None)
        if unbuilt is not None:
            await self._build(tx, unbuilt, now)
        await self._forget(tx)
        return True

    async def _load(self, tx: Tx) -> list[Kept]:
        rows = plain(
            await tx.execute(
                select(
                    _segment.c.id,
                    _segment.c.condition,
                    _state.c.wanted,
                    _state.c.built,
                    _state.c.building,
                    _state.c.build_after,
                )
                .join(_state, _state.c.segment_id == _segment.c.id)
                .where(_segment.c.is_active)
                .order_by(_segment.c.id)
            )
        )
        known: dict[UUID, Kept] = {}
        for segment_id, stored, wanted, built, building, after in rows:
            held = self._known.get(segment_id)
            if held is not None and held.wanted == wanted:
                condition, families = held.condition, held.families
            else:
                condition = await queries.resolve(tx, queries.parse(stored))
                # A new person, and one who is erased, concerns every segment.
                families = sql.families(condition) | Family.PROFILE
            place = after if building == wanted else None
            known[segment_id] = Kept(segment_id, wanted, built, place, condition, families)
        self._known = known
        return list(known.values())

    async def _take_due(self, tx: Tx, now: datetime) -> dict[UUID, set[UUID]]:
        rows = await tx.execute(
            select(_due.c.segment_id, _due.c.person_id)
            .where(_due.c.due_at <= now)
            .order_by(_due.c.due_at)
            .limit(self._batch)
        )
        found: dict[UUID, set[UUID]] = defaultdict(set)
        for segment_id, person_id in plain(rows):
            found[segment_id].add(person_id)
        return found

    async def _build(self, tx: Tx, segment: Kept, now: datetime) -> None:
        """Look at the next slice of all persons with a condition that is new."""
        ids = select(sql.person.c.id).order_by(sql.person.c.id).limit(self._slice)
        if segment.after is not None:
            ids = ids.where(sql.person.c.id > segment.after)
        slice_ = ids.subquery()
        last, number = plain(
            await tx.execute(
                select(
                    # PostgreSQL knows no max() of uuid.
                    select(slice_.c.id).order_by(slice_.c.id.desc()).limit(1).scalar_subquery(),
                    select(func.count()).select_from(slice_).scalar_subquery(),
                )
            )
        )[0]
        is_last = number < self._slice
        await look(tx, segment, between(segment.after, None if is_last else last), now)
        # A condition that was changed meanwhile has raised `wanted`: then all begins anew.
        await tx.execute(
            update(_state)
            .where(_state.c.segment_id == segment.segment_id, _state.c.wanted == segment.wanted)
            .values(
                building=segment.wanted,
                build_after=None if is_last else last,
                built=segment.wanted if is_last else _state.c.built,
                built_at=now if is_last else _state.c.built_at,
            )
        )

    async def _forget(self, tx: Tx) -> None:
        """Forget the members of segments that were closed, slice by slice."""
        closed = await tx.scalar(
            select(_state.c.segment_id).where(_state.c.wanted == 0).order_by(_state.c.segment_id)
        )
        if closed is None:
            return
        for table in (_member, _due):
            mine = table.c.segment_id == closed
            rest = await tx.scalar(
                select(table.c.person_id)
                .where(mine)
                .order_by(table.c.person_id)
                .offset(self._slice)
                .limit(1)
            )
            if rest is not None:
                await tx.execute(delete(table).where(mine, table.c.person_id < rest))
                return
            await tx.execute(delete(table).where(mine))
        await tx.execute(delete(_state).where(_state.c.segment_id == closed))


def among(people: Iterable[UUID]) -> Scope:
    """Narrow to these persons."""
    chosen = sorted(people)
    return lambda column: column.in_(
        select(column_set("asked", {"id": (Uuid(), chosen)}).c.id).correlate(None)
    )


def between(after: UUID | None, last: UUID | None) -> Scope:
    """Narrow to persons whose id lies after one and not after the other."""

    def scope(column: ColumnElement[UUID]) -> ColumnElement[bool]:
        bounds: list[ColumnElement[bool]] = []
        if after is not None:
            bounds.append(column > after)
        if last is not None:
            bounds.append(column <= last)
        return and_(true(), *bounds)

    return scope


async def look(tx: Tx, segment: Kept, scope: Scope, now: datetime) -> None:
    """Bring the membership of some persons, and the next moment to look at each of them, up to date."""
    is_in = (~sql.person.c.is_erased, sql.clause(segment.condition, now=now))
    still = (
        select(sql.person.c.id)
        .where(sql.person.c.id == _member.c.person_id, *is_in)
        .correlate(_member)
    )
    await tx.execute(
        delete(_member).where(
            _member.c.segment_id == segment.segment_id,
            scope(_member.c.person_id),
            ~still.exists(),
        )
    )
    await tx.execute(
        insert(_member)
        .from_select(
            ["segment_id", "person_id", "since"],
            select(
                literal(segment.segment_id, Uuid()), sql.person.c.id, literal(now, Moment)
            ).where(scope(sql.person.c.id), *is_in),
        )
        .on_conflict_do_nothing()
    )
    await _set_due(tx, segment, scope, now)


async def _set_due(tx: Tx, segment: Kept, scope: Scope, now: datetime) -> None:
    await tx.execute(
        delete(_due).where(_due.c.segment_id == segment.segment_id, scope(_due.c.person_id))
    )
    flip = sql.next_flip(segment.condition, now=now)
    if flip is None:
        return
    coming = (
        select(sql.person.c.id, flip.label("due_at"))
        .where(scope(sql.person.c.id), ~sql.person.c.is_erased)
        .subquery()
    )
    await tx.execute(
        insert(_due)
        .from_select(
            ["segment_id", "person_id", "due_at"],
            select(literal(segment.segment_id, Uuid()), coming.c.id, coming.c.due_at).where(
                coming.c.due_at.is_not(None)
            ),
        )
        .on_conflict_do_nothing()
    )
