"""Reads of the kept membership, together with what the keeper has not followed yet: they tell what a count would."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, Uuid, func, select, union, union_all

from contacts_svc.base import table_of
from contacts_svc.segments import compile as sql
from contacts_svc.segments.conditions import Node, reads_decisions
from contacts_svc.segments.model import Segment, SegmentDue, SegmentMember, SegmentState
from contacts_svc.segments.queries.trees import condition_of
from contacts_svc.touched import Family, Follower, TouchedPerson, untaken
from kantis_kit.db.sets import column_set
from kantis_kit.tx import ReadTx

MAX_WAITING = 5_000
"""When more people wait to be looked at, all are counted anew."""
_member: Table = table_of(SegmentMember)
_due: Table = table_of(SegmentDue)
_touched: Table = table_of(TouchedPerson)
_no_id = Uuid()


@dataclass(frozen=True, slots=True)
class KeptMembers:
    """Who is in a segment: who is kept as a member, but of those who wait to be looked at whoever belongs there now."""

    segment_id: UUID
    condition: Node
    waiting: Sequence[UUID]
    now: datetime

    async def count(self, tx: ReadTx) -> int:
        """Return how many are in it."""
        kept = select(func.count()).select_from(_member).where(self._is_mine())
        if not self.waiting:
            return int(await tx.scalar(kept))
        stale = kept.where(_member.c.person_id.in_(self._asked()))
        fresh = select(func.count()).select_from(self._fresh().subquery())
        parts = (kept.scalar_subquery(), stale.scalar_subquery(), fresh.scalar_subquery())
        return int(await tx.scalar(select(parts[0] - parts[1] + parts[2])))

    def page(self, after: UUID | None, limit: int) -> Select[Any]:
        """Select the ids of a page, in their order."""
        kept = select(_member.c.person_id.label("id")).where(self._is_mine())
        if after is not None:
            kept = kept.where(_member.c.person_id > after)
        if self.waiting:
            kept = kept.where(_member.c.person_id.not_in(self._asked()))
        kept = kept.order_by(_member.c.person_id).limit(limit)
        if not self.waiting:
            return kept
        fresh = self._fresh()
        if after is not None:
            fresh = fresh.where(sql.person.c.id > after)
        fresh = fresh.order_by(sql.person.c.id).limit(limit)
        both = union_all(
            select(kept.subquery("kept").c.id), select(fresh.subquery("fresh").c.id)
        ).subquery("both")
        return select(both.c.id).order_by(both.c.id).limit(limit)

    def _is_mine(self) -> Any:  # noqa: ANN401 - a comparison
        return _member.c.segment_id == self.segment_id

    def _asked(self) -> Select[Any]:
        return select(column_set("waiting", {"id": (_no_id, self.waiting)}).c.id)

    def _fresh(self) -> Select[Any]:
        asked = self._asked()
        return select(sql.person.c.id).where(
            sql.person.c.id.in_(asked),
            ~sql.person.c.is_erased,
            sql.clause(self.condition, now=self.now),
        )


async def find_kept(tx: ReadTx, segment: Segment) -> tuple[Node, KeptMembers | None]:
    """Return the condition of a segment and its kept members; none while it is built, or very many wait.

    A condition that asks for decisions is counted anew: rules and washes change for everybody at once.
    """
    condition = await condition_of(tx, segment)
    state = await tx.get(SegmentState, segment.id)
    if state is None or state.built != state.wanted or reads_decisions(condition):
        return condition, None
    now = tx.clock.now()
    families = int(sql.families(condition) | Family.PROFILE)
    touched = (
        select(_touched.c.person_id)
        .where(
            untaken(_touched.c.followed, Follower.SEGMENTS),
            _touched.c.families.op("&")(families) != 0,
        )
        .limit(MAX_WAITING + 1)
    )
    due = (
        select(_due.c.person_id)
        .where(_due.c.segment_id == segment.id, _due.c.due_at <= now)
        .limit(MAX_WAITING + 1)
    )
    waiting = union(
        select(touched.subquery("touched").c.person_id), select(due.subquery("due").c.person_id)
    )
    found = list(await tx.scalars(waiting))
    if len(found) > MAX_WAITING:
        return condition, None
    return condition, KeptMembers(segment.id, condition, sorted(found), now)
