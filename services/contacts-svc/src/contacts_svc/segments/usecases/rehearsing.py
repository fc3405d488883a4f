"""What a rule would have done: its condition looked at as of the end of each day that has been."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from contacts_svc.segments import compile as sql
from contacts_svc.segments import conditions as c
from contacts_svc.segments import events, queries
from contacts_svc.segments.conditions import Node
from contacts_svc.segments.costs import bound_time, check_cost
from contacts_svc.segments.errors import SegmentUnknown
from kantis_contracts.campaign import Rehearsal
from kantis_kit.errors import AppError
from kantis_kit.tx import Tx

LISTED = 5_000
"""So many entries are told one by one."""
MAX_DAYS = 92
_DATED = (
    c.Interactions, c.Responses, c.Insights, c.Messages, c.Visits, c.Leads, c.Answers, c.LastOrder, c.Returns, c.Created, c.Anniversary,
)  # fmt: skip
"""Clauses over rows that carry their moment: of a day that has been they say what was true then."""


async def rehearse(tx: Tx, asked: Sequence[Rehearsal]) -> None:
    """Answer of whom the conditions of rules would have become true."""
    for one in asked:
        try:
            async with tx.savepoint():
                segment = await queries.get_segment(tx, one.segment_id)
                condition = await queries.condition_of(tx, segment)
                found = await _entries(tx, condition, one)
                answer = events.rehearsed(one, found, most=LISTED, as_now=_as_now(condition))
        except SegmentUnknown:
            answer = events.rehearsed(one, (), most=0, problem="The segment is not there any more")
        except AppError as error:
            answer = events.rehearsed(one, (), most=0, problem=error.detail)
        tx.stage(answer)


async def _entries(tx: Tx, condition: Node, asked: Rehearsal) -> list[tuple[UUID, datetime]]:
    """Look once for each day; whoever was not there the day before has come."""
    await check_cost(tx, sql.members(condition, now=asked.until))
    await bound_time(tx)
    found: list[tuple[UUID, datetime]] = []
    moment = asked.since
    before = set(await tx.scalars(sql.members(condition, now=sql.as_of(moment))))
    for _ in range(MAX_DAYS):
        if moment >= asked.until:
            break
        moment = min(moment + timedelta(days=1), asked.until)
        there = set(await tx.scalars(sql.members(condition, now=sql.as_of(moment))))
        found += [(person_id, moment) for person_id in sorted(there - before)]
        before = there
    return found


def _as_now(condition: Node) -> list[str]:
    """Return the clauses about what is kept as it is now alone, in words."""
    return [
        c.describe(node)
        for node in c.every(condition)
        if not c.parts_of(node) and not _is_dated(node)
    ]


def _is_dated(node: Node) -> bool:
    if isinstance(node, c.Orders):
        return node.state is c.OrderState.ANY and not node.paid_only
    return isinstance(node, _DATED)
