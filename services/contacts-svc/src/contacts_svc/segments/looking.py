"""How membership is brought up to date: of a few people whose facts have changed, or of everybody in a stretch of ids."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Table, Uuid, func, select

from contacts_svc.base import plain, table_of
from contacts_svc.segments import judging, telling
from contacts_svc.segments.conditions import Node, every, reads_decisions
from contacts_svc.segments.model import SegmentDue, SegmentMember
from contacts_svc.segments.schemas import Announces
from contacts_svc.touched import Family
from kantis_contracts.contacts import ClauseFacts
from kantis_kit.db.sets import one_of
from kantis_kit.tx import Tx

_member: Table = table_of(SegmentMember)
_due: Table = table_of(SegmentDue)
_MEMBER = ["segment_id", "person_id", "since"]
_DUE = ["segment_id", "person_id", "due_at"]
_STATEMENTS = 100
"""Statements that a keeper remembers."""
_TOGETHER = 25
_VALUES = 2_000
"""Segments that share a statement, and how much their conditions may name: a statement has 32,767 parameters."""

_FIRST, _LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
Statement = TypeVar("Statement")

Move = tuple[UUID, bool]
"""A person, and whether they came; they have left otherwise."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A segment as the keeper knows it."""

    segment_id: UUID
    name: str
    version: int
    announces: Announces
    explains: Announces
    wanted: int
    built: int
    after: UUID | None
    basis: str
    condition: Node
    families: Family
    size: int
    """How much the condition names."""

    @property
    def is_built(self) -> bool:
        """Say whether everybody has been looked at with the newest condition."""
        return self.built == self.wanted


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is to be looked at: persons of whom facts have changed, and those whose time has come in one segment."""

    families: Mapping[UUID, Family]
    due: Mapping[UUID, AbstractSet[UUID]]
    """By segment."""

    def rows(self, segments: Sequence[Kept]) -> list[tuple[UUID, int, UUID | None]]:
        """Return each person who concerns these segments: with the families of their facts, or with one segment."""
        read = reduce(or_, (one.families for one in segments), Family(0))
        found: list[tuple[UUID, int, UUID | None]] = [
            (key, int(touched), None) for key, touched in self.families.items() if touched & read
        ]
        for one in segments:
            found += [
                (key, 0, one.segment_id)
                for key in self.due.get(one.segment_id, ())
                if not self.families.get(key, Family(0)) & one.families  # judged once
            ]
        return sorted(found, key=_by_person)


def _by_person(row: tuple[UUID, int, UUID | None]) -> tuple[UUID, str]:
    return row[0], str(row[2])


def size_of(condition: Node) -> int:
    """Return how much a condition names: its clauses, and the values in them."""
    named = (value for node in every(condition) for _, value in node)
    return sum(len(value) if isinstance(value, list) else 1 for value in named)


def batched(segments: Iterable[Kept]) -> Iterator[list[Kept]]:
    """Cut segments into batches that share a statement: many small conditions, or one large one."""
    batch: list[Kept] = []
    size = 0
    for one in segments:
        if batch and (len(batch) == _TOGETHER or size + one.size > _VALUES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


class Looks:
    """The statements of one keeper: put together once for as long as the same conditions are kept."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}

    async def look_at(
        self,
        tx: Tx,
        segments: Sequence[Kept],
        asked: Asked,
        now: datetime,
        *,
        told: AbstractSet[UUID],
    ) -> Mapping[UUID, Sequence[Move]]:
        """Bring the membership of some people up to date, in one statement, and the next moment to look at each again.

        Each is judged once for each segment that reads what has changed; who came and left is told of the segments
        in `told`.
        """
        rows = asked.rows(segments)
        if not rows:
            return {}
        ids, families, only = zip(*rows, strict=True)
        given = {"ids": ids, "families": families, "only": only, "told": sorted(told), "now": now}
        found: dict[UUID, list[Move]] = defaultdict(list)
        key = tuple((one.segment_id, one.wanted) for one in segments)
        statement = self._remember(key, segments, lambda: judging.moves(segments))
        for segment_id, person_id, is_in in plain(await tx.execute(statement, given)):
            found[segment_id].append((person_id, is_in))
        return found

    async def look_between(
        self,
        tx: Tx,
        segment: Kept,
        after: UUID | None,
        last: UUID | None,
        now: datetime,
        *,
        told: bool,
    ) -> tuple[Sequence[Move], int]:
        """Bring the membership of everybody whose id lies after one and not after the other up to date.

        Returns who came and left, when that is to be told, and how many did.
        """
        key = ((segment.segment_id, segment.wanted), told)
        slice_ = self._remember(key, [segment], lambda: judging.slice_of(segment, told=told))
        given = {"after": after or _FIRST, "last": last or _LAST}
        given_now = given | {"now": now}
        moves: list[Move] = []
        written = 0
        is_held = await tx.scalar(slice_.is_held, given)
        for statement, is_in in ((slice_.gone, False), (slice_.came, True)):
            if is_in or is_held:
                result: Any = await tx.execute(statement, given_now)
                written += result.rowcount
                moves += [(row[0], is_in) for row in plain(result)] if told else []
        await tx.execute(slice_.undue, given)
        if slice_.due is not None:
            await tx.execute(slice_.due, given_now)
        return moves, written

    async def reasons(
        self, tx: Tx, segment: Kept, came: Sequence[UUID], now: datetime
    ) -> Mapping[UUID, Sequence[ClauseFacts]]:
        """Return for each of those who came what every clause that compares says of them, and by which facts."""
        if not came:
            return {}
        key = ("why", segment.segment_id, segment.wanted)
        why = self._remember(key, [segment], lambda: telling.why(segment.condition))
        rows = plain(await tx.execute(why.statement, {"ids": sorted(came), "now": now}))
        return {row[0]: why.read(row) for row in rows}

    def _remember(
        self, key: Hashable, segments: Iterable[Kept], make: Callable[[], Statement]
    ) -> Statement:
        if any(reads_decisions(one.condition) for one in segments):
            return make()  # the rules and registers of this pass are in it
        if key not in self._known:
            if len(self._known) >= _STATEMENTS:
                self._known.clear()
            self._known[key] = make()
        found: Statement = self._known[key]
        return found


async def count_kept(tx: Tx, segment_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many are kept as members of these segments; one without any is left out."""
    members = (
        select(_member.c.segment_id, func.count())
        .where(_member.c.segment_id == one_of(sorted(segment_ids), Uuid()))
        .group_by(_member.c.segment_id)
    )
    return dict(plain(await tx.execute(members)))
