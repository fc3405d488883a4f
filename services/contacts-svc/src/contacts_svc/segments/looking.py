"""How membership is brought up to date: of a few people whose facts have changed, or of everybody in a stretch of ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    Uuid,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.segments import compile as sql
from contacts_svc.segments.conditions import Node
from contacts_svc.segments.model import SegmentDue, SegmentMember
from contacts_svc.segments.schemas import Announces
from contacts_svc.touched import Family
from kantis_kit.db.sets import column_set
from kantis_kit.tx import Tx

_member: Table = table_of(SegmentMember)
_due: Table = table_of(SegmentDue)
_MEMBER = ["segment_id", "person_id", "since"]
_DUE = ["segment_id", "person_id", "due_at"]

Move = tuple[UUID, bool]
"""A person, and whether they came; they have left otherwise."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A segment as the keeper knows it."""

    segment_id: UUID
    name: str
    version: int
    announces: Announces
    wanted: int
    built: int
    after: UUID | None
    basis: str
    condition: Node
    families: Family

    @property
    def is_built(self) -> bool:
        """Say whether everybody has been looked at with the newest condition."""
        return self.built == self.wanted


async def look_at(
    tx: Tx, segment: Kept, people: Iterable[UUID], now: datetime, *, told: bool
) -> Sequence[Move]:
    """Bring the membership of some people up to date, in one statement, and the next moment to look at each of them.

    Each is judged once; who came and left is told when asked for.
    """
    asked = column_set("asked", {"id": (Uuid(), sorted(people))})
    is_there = and_(sql.person.c.id.is_not(None), ~sql.person.c.is_erased)
    flip = sql.next_flip(segment.condition, now=now)
    judged = (
        select(
            asked.c.id.label("person_id"),
            and_(is_there, sql.clause(segment.condition, now=now)).label("is_in"),
            *([] if flip is None else [case((is_there, flip)).label("due_at")]),
        )
        .select_from(asked.outerjoin(sql.person, sql.person.c.id == asked.c.id))
        .cte("judged")
    )
    mine = literal(segment.segment_id, Uuid())
    gone = (
        delete(_member)
        .where(
            _member.c.segment_id == mine,
            _member.c.person_id == judged.c.person_id,
            ~judged.c.is_in,
        )
        .returning(_member.c.person_id)
        .cte("gone")
    )
    came = (
        insert(_member)
        .from_select(
            _MEMBER,
            select(mine, judged.c.person_id, literal(now, Moment)).where(judged.c.is_in),
        )
        .on_conflict_do_nothing()
        .returning(_member.c.person_id)
        .cte("came")
    )
    moves: Select[Any] | Any = union_all(
        select(came.c.person_id, true().label("came")).where(true() if told else false()),
        select(gone.c.person_id, false().label("came")).where(true() if told else false()),
    )
    if flip is not None:
        # What stands is left alone; what is past is gone with whoever was looked at.
        undue = (
            delete(_due)
            .where(
                _due.c.segment_id == mine,
                _due.c.person_id == judged.c.person_id,
                judged.c.due_at.is_(None),
            )
            .returning(_due.c.person_id)
            .cte("undue")
        )
        put = insert(_due).from_select(
            _DUE,
            select(mine, judged.c.person_id, judged.c.due_at).where(judged.c.due_at.is_not(None)),
        )
        due = (
            put.on_conflict_do_update(
                index_elements=["segment_id", "person_id"],
                set_={"due_at": put.excluded.due_at},
                where=_due.c.due_at != put.excluded.due_at,
            )
            .returning(_due.c.person_id)
            .cte("due")
        )
        moves = moves.add_cte(undue, due)
    return [(row[0], row[1]) for row in plain(await tx.execute(moves))]


async def look_between(
    tx: Tx, segment: Kept, after: UUID | None, last: UUID | None, now: datetime, *, told: bool
) -> Sequence[Move]:
    """Bring the membership of everybody whose id lies after one and not after the other up to date."""

    def between(column: ColumnElement[UUID]) -> ColumnElement[bool]:
        bounds = [column > after] if after is not None else []
        return and_(true(), *bounds, *([column <= last] if last is not None else []))

    mine = literal(segment.segment_id, Uuid())
    is_in = (~sql.person.c.is_erased, sql.clause(segment.condition, now=now))
    moves: list[Move] = []
    held = _member.c.segment_id == segment.segment_id, between(_member.c.person_id)
    if await tx.scalar(select(select(_member.c.person_id).where(*held).exists())):
        still = select(sql.person.c.id).where(sql.person.c.id == _member.c.person_id, *is_in)
        gone = delete(_member).where(*held, ~still.correlate(_member).exists())
        if told:
            moves += [(one, False) for one in await tx.scalars(gone.returning(_member.c.person_id))]
        else:
            await tx.execute(gone)
    came = (
        insert(_member)
        .from_select(
            _MEMBER,
            select(mine, sql.person.c.id, literal(now, Moment)).where(
                between(sql.person.c.id), *is_in
            ),
        )
        .on_conflict_do_nothing()
    )
    if told:
        moves += [(one, True) for one in await tx.scalars(came.returning(_member.c.person_id))]
    else:
        await tx.execute(came)
    await tx.execute(
        delete(_due).where(_due.c.segment_id == segment.segment_id, between(_due.c.person_id))
    )
    flip = sql.next_flip(segment.condition, now=now)
    if flip is not None:
        # The offset keeps the two levels apart: flattened, the moment would be worked out twice for each.
        coming = (
            select(sql.person.c.id, flip.label("due_at"))
            .where(between(sql.person.c.id), ~sql.person.c.is_erased)
            .offset(0)
            .subquery()
        )
        found = select(mine, coming.c.id, coming.c.due_at).where(coming.c.due_at.is_not(None))
        await tx.execute(insert(_due).from_select(_DUE, found).on_conflict_do_nothing())
    return moves


async def count_kept(tx: Tx, segment_id: UUID) -> int:
    """Return how many are kept as members."""
    members = select(func.count()).select_from(_member).where(_member.c.segment_id == segment_id)
    return int(await tx.scalar(members))
