"""The statement that judges some people for many segments at once, and writes what is different; and those that do it for everybody.

Who is asked for and when are parameters: `ids`, `families` and `only` of those who are looked at, `told` for the
segments of which comings and goings are wanted, and `now`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Executable,
    FromClause,
    Integer,
    Table,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    delete,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import array, insert

from contacts_svc.base import Moment, table_of
from contacts_svc.segments import compile as sql
from contacts_svc.segments.conditions import Node
from contacts_svc.segments.model import SegmentDue, SegmentMember
from contacts_svc.touched import Family
from kantis_kit.db.sets import column_set

_member: Table = table_of(SegmentMember)
_due: Table = table_of(SegmentDue)
_MEMBER = ["segment_id", "person_id", "since"]
_DUE = ["segment_id", "person_id", "due_at"]
_NOW: Any = bindparam("now", type_=Moment)


class Judged(Protocol):
    """A segment, as far as people are judged for it."""

    @property
    def segment_id(self) -> UUID:
        """Its id."""

    @property
    def condition(self) -> Node:
        """What holds for its members."""

    @property
    def families(self) -> Family:
        """Which facts decide that."""


def moves(segments: Sequence[Judged]) -> CompoundSelect[Any]:
    """Put together what looks at people for these segments and returns who came into which and who left."""
    given = func.unnest(
        bindparam("ids", type_=ARRAY(Uuid())),
        bindparam("families", type_=ARRAY(Integer())),
        bindparam("only", type_=ARRAY(Uuid())),
    )
    asked = given.table_valued(
        column("id", Uuid()), column("families", Integer()), column("only", Uuid())
    ).render_derived(name="asked")
    judged = _judge(segments, asked)
    # Who is in which of them now is found by person, once; only what is different is written.
    held = (
        select(_member.c.segment_id, _member.c.person_id)
        .where(_member.c.person_id == any_(bindparam("ids", type_=ARRAY(Uuid()))))
        .cte("held")
    )
    same = and_(held.c.segment_id == judged.c.segment_id, held.c.person_id == judged.c.person_id)
    leaving = select(held).join(judged, and_(same, ~judged.c.is_in)).subquery("leaving")
    gone = (
        delete(_member)
        .where(
            _member.c.segment_id == leaving.c.segment_id,
            _member.c.person_id == leaving.c.person_id,
        )
        .returning(_member.c.segment_id, _member.c.person_id)
        .cte("gone")
    )
    coming = (
        select(judged.c.segment_id, judged.c.person_id, _NOW)
        .select_from(judged.outerjoin(held, same))
        .where(judged.c.is_in, held.c.person_id.is_(None))
    )
    came = (
        insert(_member)
        .from_select(_MEMBER, coming)
        .on_conflict_do_nothing()
        .returning(_member.c.segment_id, _member.c.person_id)
        .cte("came")
    )
    is_told = any_(bindparam("told", type_=ARRAY(Uuid())))
    return union_all(
        *(
            select(part.c.segment_id, part.c.person_id, literal(part is came).label("came")).where(
                part.c.segment_id == is_told
            )
            for part in (came, gone)
        )
    ).add_cte(*_due_ctes(judged))


def _judge(segments: Sequence[Judged], asked: FromClause) -> CTE:
    """Judge each of these people for each segment: a row for each pair that is asked for."""
    is_there = and_(sql.person.c.id.is_not(None), ~sql.person.c.is_erased)
    holds: list[ColumnElement[bool | None]] = []
    flips: list[ColumnElement[Any]] = []
    has_flip: list[bool] = []
    for one in segments:
        is_asked = or_(
            asked.c.families.op("&", precedence=6)(int(one.families)) != 0,
            asked.c.only == one.segment_id,
        )
        clause = func.coalesce(sql.clause(one.condition, now=_NOW), false())
        holds.append(case((is_asked, and_(is_there, clause))))
        flip = sql.next_flip(one.condition, now=_NOW)
        has_flip.append(flip is not None)
        flips.append(
            cast(null(), Moment) if flip is None else case((and_(is_asked, is_there), flip))
        )
    # Materialised: flattened, every clause would be worked out anew for each segment.
    worked_out = (
        select(
            asked.c.id.label("person_id"),
            _array(holds, Boolean()).label("holds"),
            _array(flips, Moment).label("flips"),
        )
        .select_from(asked.outerjoin(sql.person, sql.person.c.id == asked.c.id))
        .cte("worked_out")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    looked = column_set(
        "looked",
        {
            "segment_id": (Uuid(), [one.segment_id for one in segments]),
            "has_flip": (Boolean(), has_flip),
            "place": (Integer(), range(1, len(segments) + 1)),
        },
    )
    is_in = worked_out.c.holds[looked.c.place]
    return (
        select(
            looked.c.segment_id,
            worked_out.c.person_id,
            is_in.label("is_in"),
            looked.c.has_flip,
            worked_out.c.flips[looked.c.place].label("due_at"),
        )
        .select_from(worked_out.join(looked, true()))
        .where(is_in.is_not(None))
        .cte("judged")
    )


def _array(parts: Sequence[ColumnElement[Any]], kind: Any) -> Any:  # noqa: ANN401 - of any type
    return array(parts, type_=kind)


def _due_ctes(judged: CTE) -> tuple[CTE, CTE]:
    """Note when time alone may change something next; what stands is left alone, what is past is gone."""
    undue = (
        delete(_due)
        .where(
            _due.c.segment_id == judged.c.segment_id,
            _due.c.person_id == judged.c.person_id,
            judged.c.has_flip,
            judged.c.due_at.is_(None),
        )
        .returning(_due.c.person_id)
        .cte("undue")
    )
    put = insert(_due).from_select(
        _DUE,
        select(judged.c.segment_id, judged.c.person_id, judged.c.due_at).where(
            judged.c.due_at.is_not(None)
        ),
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
    return undue, due


@dataclass(frozen=True, slots=True)
class Slice:
    """What looks at everybody whose id lies after `after` and not after `last`, for one segment."""

    is_held: Executable
    """Says whether any of them is a member already."""
    gone: Executable
    came: Executable
    undue: Executable
    due: Executable | None


def slice_of(segment: Judged, *, told: bool) -> Slice:
    """Put together what looks at a slice of people; who came and left is returned where it is `told`."""
    mine = literal(segment.segment_id, Uuid())
    is_in = (~sql.person.c.is_erased, sql.clause(segment.condition, now=_NOW))
    held = (_member.c.segment_id == segment.segment_id, _between(_member.c.person_id))
    still = select(sql.person.c.id).where(sql.person.c.id == _member.c.person_id, *is_in)
    gone = delete(_member).where(*held, ~still.correlate(_member).exists())
    came = (
        insert(_member)
        .from_select(
            _MEMBER,
            select(mine, sql.person.c.id, _NOW).where(_between(sql.person.c.id), *is_in),
        )
        .on_conflict_do_nothing()
    )
    return Slice(
        select(select(_member.c.person_id).where(*held).exists()),
        gone.returning(_member.c.person_id) if told else gone,
        came.returning(_member.c.person_id) if told else came,
        delete(_due).where(_due.c.segment_id == mine, _between(_due.c.person_id)),
        _all_due(segment),
    )


def _all_due(segment: Judged) -> Executable | None:
    flip = sql.next_flip(segment.condition, now=_NOW)
    if flip is None:
        return None
    # The offset keeps the two levels apart: flattened, the moment would be worked out twice for each.
    coming = (
        select(sql.person.c.id, flip.label("due_at"))
        .where(_between(sql.person.c.id), ~sql.person.c.is_erased)
        .offset(0)
        .subquery()
    )
    found = select(literal(segment.segment_id, Uuid()), coming.c.id, coming.c.due_at)
    return (
        insert(_due)
        .from_select(_DUE, found.where(coming.c.due_at.is_not(None)))
        .on_conflict_do_nothing()
    )


def _between(column: ColumnElement[UUID]) -> ColumnElement[bool]:
    after, last = (bindparam(name, type_=Uuid()) for name in ("after", "last"))
    return and_(column > after, column <= last)
