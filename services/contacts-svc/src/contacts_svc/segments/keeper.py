"""Keeps who is in which segment: after what has changed, after what time alone changes, and after new conditions.

One pass is one transaction. Whoever was touched is looked at again with the segments that read such facts, in one
statement per segment, however many were touched. A fact that is committed during a pass comes with a row of its own in
the next one, so that nothing is missed; a pass that fails leaves everything to be done again.

Very many at once, as after an import, are taken pass by pass, the oldest first, and with each pass the newest, too:
what changes meanwhile does not wait for them.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from uuid import UUID

from sqlalchemy import Table, Uuid, delete, func, or_, select, update

from contacts_svc.base import plain, table_of
from contacts_svc.permissions.known_sql import Context, load
from contacts_svc.permissions.model import Wash
from contacts_svc.permissions.rules_table import RULES
from contacts_svc.segments import compile as sql
from contacts_svc.segments import events, queries
from contacts_svc.segments.conditions import bind, reads_decisions
from contacts_svc.segments.looking import (
    Asked,
    Kept,
    Looks,
    Move,
    batched,
    count_kept,
    size_of,
)
from contacts_svc.segments.model import (
    Segment,
    SegmentDue,
    SegmentMember,
    SegmentState,
)
from contacts_svc.segments.schemas import Announces
from contacts_svc.touched import (
    Family,
    Follower,
    Touched,
    TouchedPerson,
    take_touched,
    untaken,
)
from kantis_kit.db.sets import one_of
from kantis_kit.tx import ReadTx, Tx

BATCH = 5_000
"""Touched and due rows that share a pass."""
NEWEST = 500
"""When more wait than that, so many of the newest ones are looked at with each pass as well."""
SLICE = 25_000
"""Persons that are looked at in one pass with a new condition."""
_BUILT_TOGETHER = 5
"""New conditions that share a pass: what else a pass does is then done less often."""
_KEEPER = 7_310_015
"""The advisory lock of the one keeper that works, of however many run."""

_segment: Table = table_of(Segment)
_state: Table = table_of(SegmentState)
_member: Table = table_of(SegmentMember)
_due: Table = table_of(SegmentDue)
_touched: Table = table_of(TouchedPerson)
_wash: Table = table_of(Wash)


async def has_work(tx: ReadTx) -> bool:
    """Say whether a pass would find anything to do."""
    left = select(_state.c.segment_id).where(
        or_(_state.c.built < _state.c.wanted, _state.c.wanted == 0)
    )
    waiting = select(_touched.c.id).where(untaken(_touched.c.followed, Follower.SEGMENTS))
    return bool(
        await tx.scalar(
            select(
                or_(
                    waiting.exists(),
                    select(_due.c.person_id).where(_due.c.due_at <= tx.clock.now()).exists(),
                    left.exists(),
                )
            )
        )
    ) or await _basis_is_old(tx)


async def _basis_is_old(tx: ReadTx) -> bool:
    """Say whether a segment that asks for decisions was built with other rules, registers or washes than today's."""
    known = set(
        await tx.scalars(
            select(_state.c.basis).where(_state.c.basis != "", _state.c.wanted > 0).distinct()
        )
    )
    return bool(known) and known != {await basis_of(tx, await load(tx))}


async def basis_of(tx: ReadTx, context: Context) -> str:
    """Return a mark of everything that decides for everybody at once; when it changes, all are looked at anew."""
    washes = plain(
        await tx.execute(
            select(_wash.c.register_id, func.max(_wash.c.at))
            .group_by(_wash.c.register_id)
            .order_by(_wash.c.register_id)
        )
    )
    day = context.at.date()
    parts = [
        *(rule.id for rule in RULES if rule.is_valid(day)),
        *(f"{row.id} {row.version} {recent}" for row, recent in context.registers),
        *(f"{key} {at.isoformat()}" for key, at in washes),
    ]
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


class Keeper:
    """The keeper of one process; remembers the conditions that it has read."""

    def __init__(
        self, *, batch: int = BATCH, newest: int = NEWEST, slice_size: int = SLICE
    ) -> None:
        self._batch = batch
        self._newest = newest
        self._slice = slice_size
        self._known: dict[UUID, Kept] = {}
        self._looks = Looks()

    async def keep(self, tx: Tx) -> bool:
        """Make one pass; return whether there was anything to do."""
        if not await has_work(tx):
            return False
        if not await tx.scalar(select(func.pg_try_advisory_xact_lock(_KEEPER))):
            return False  # another process keeps them
        now = tx.clock.now()
        segments = await self._load(tx)
        families = _families(await self._take(tx))
        asked = Asked(families, await self._take_due(tx, now))
        told = {segment.segment_id for segment in segments if _is_told(segment)}
        changes: list[_Change] = []
        for batch in batched(segments):
            moves = await self._looks.look_at(tx, batch, asked, now, told=told)
            changes += [_Change(one, moves.get(one.segment_id, ())) for one in batch]
        await _announce(tx, changes, self._looks, now)
        written = 0
        for unbuilt in islice((one for one in segments if not one.is_built), _BUILT_TOGETHER):
            if (
                written < self._slice
            ):  # to write takes longer than to look: what changes meanwhile does not wait for it
                written += await self._build(tx, unbuilt, now)
        await self._forget(tx)
        return True

    async def _take(self, tx: Tx) -> list[Touched]:
        taken = await take_touched(tx, Follower.SEGMENTS, limit=self._batch)
        if len(taken) == self._batch:
            taken += await take_touched(tx, Follower.SEGMENTS, limit=self._newest, newest=True)
        return taken

    async def _load(self, tx: Tx) -> list[Kept]:
        rows = plain(
            await tx.execute(
                select(
                    _segment.c.id,
                    _segment.c.name,
                    _segment.c.version,
                    _segment.c.announces,
                    _segment.c.explains,
                    _segment.c.condition,
                    _state.c.wanted,
                    _state.c.built,
                    _state.c.building,
                    _state.c.build_after,
                    _state.c.basis,
                )
                .join(_state, _state.c.segment_id == _segment.c.id)
                .where(_segment.c.is_active)
                .order_by(_segment.c.id)
            )
        )
        known: dict[UUID, Kept] = {}
        for (
            segment_id,
            name,
            version,
            announces,
            explains,
            stored,
            wanted,
            built,
            building,
            after,
            was,
        ) in rows:
            held = self._known.get(segment_id)
            if held is not None and held.wanted == wanted:
                condition, families, size = held.condition, held.families, held.size
            else:
                condition = await queries.resolve(tx, queries.parse(stored))
                # A new person, and one who is erased, concerns every segment.
                families = sql.families(condition) | Family.PROFILE
                size = size_of(condition)
            place = after if building == wanted else None
            head = (segment_id, name, version, Announces(announces), Announces(explains))
            known[segment_id] = Kept(*head, wanted, built, place, was, condition, families, size)
        self._known = known
        deciding = [one for one in known.values() if reads_decisions(one.condition)]
        if deciding:
            await self._renew(tx, deciding)
        return list(self._known.values())

    async def _renew(self, tx: Tx, segments: Sequence[Kept]) -> None:
        """Give segments that ask for decisions the rules, registers and washes of today; if others, look at all anew."""
        context = await load(tx)
        basis = await basis_of(tx, context)
        for one in segments:
            wanted, after = one.wanted, one.after
            if one.basis != basis:
                wanted, after = one.wanted + (one.built > 0 or after is not None), None
                await tx.execute(
                    update(_state)
                    .where(_state.c.segment_id == one.segment_id, _state.c.wanted == one.wanted)
                    .values(basis=basis, wanted=wanted)
                )
            self._known[one.segment_id] = replace(
                one,
                wanted=wanted,
                after=after,
                basis=basis,
                condition=bind(one.condition, context),
            )

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

    async def _build(self, tx: Tx, segment: Kept, now: datetime) -> int:
        """Look at the next slice of all persons with a condition that is new; return how many came and left."""
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
        told = Announces.EVERYTHING in (segment.announces, segment.explains)
        until = None if is_last else last
        moves, written = await self._looks.look_between(
            tx, segment, segment.after, until, now, told=told
        )
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
        await _announce(tx, [_Change(segment, moves, is_last)], self._looks, now)
        return written

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


def _families(touched: Sequence[Touched]) -> dict[UUID, Family]:
    found: dict[UUID, Family] = defaultdict(lambda: Family(0))
    for one in touched:
        found[one.person_id] |= one.families
    return found


def _tells(mode: Announces, *, is_built: bool) -> bool:
    """Say whether comings and goings are told: always, or from when everybody has been looked at once."""
    return mode is Announces.EVERYTHING or (mode is Announces.CHANGES and is_built)


def _is_told(segment: Kept) -> bool:
    modes = (segment.announces, segment.explains)
    return any(_tells(mode, is_built=segment.is_built) for mode in modes)


@dataclass(frozen=True, slots=True)
class _Change:
    """What a pass has changed in a segment."""

    segment: Kept
    moves: Sequence[Move]
    is_end_of_build: bool = False

    @property
    def announced(self) -> Sequence[Move]:
        """Who came and left, as far as every service is told."""
        return self._of(self.segment.announces)

    @property
    def explained(self) -> Sequence[Move]:
        """Who came and left, as far as rules are told."""
        return self._of(self.segment.explains)

    @property
    def is_told(self) -> bool:
        """Say whether every service is told."""
        tells = self.segment.announces is not Announces.NOTHING
        return tells and (bool(self.announced) or self.is_end_of_build)

    def _of(self, mode: Announces) -> Sequence[Move]:
        return self.moves if _tells(mode, is_built=self.segment.is_built) else ()


async def _announce(tx: Tx, changes: Sequence[_Change], looks: Looks, now: datetime) -> None:
    """Tell who came and left, rules also why, and that a new condition holds for everybody now."""
    entries = []
    for one in changes:
        if one.explained:
            came = [person_id for person_id, is_in in one.explained if is_in]
            why = await looks.reasons(tx, one.segment, came, now)
            entries += events.condition_moves(one.segment.segment_id, one.explained, why, at=now)
    if entries:
        tx.stage(events.conditions_entered(entries))
    told = [one for one in changes if one.is_told]
    if not told:
        return
    ids = [one.segment.segment_id for one in told]
    revisions = dict(
        plain(
            await tx.execute(
                update(_state)
                .where(_state.c.segment_id == one_of(sorted(ids), Uuid()))
                .values(revision=_state.c.revision + 1)
                .returning(_state.c.segment_id, _state.c.revision)
            )
        )
    )
    members = await count_kept(tx, ids)
    for one in told:
        segment = one.segment
        tx.stage(
            events.segment_changed(
                segment_id=segment.segment_id,
                name=segment.name,
                version=segment.version,
                revision=revisions[segment.segment_id],
                members=members.get(segment.segment_id, 0),
                moves=one.announced,
                at=now,
                is_built=one.is_end_of_build,
            )
        )
