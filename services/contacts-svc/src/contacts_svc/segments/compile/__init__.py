"""The one module that turns a condition into SQL: typed tree in, SQLAlchemy expression with bound parameters out.

Each family of facts has its own module with the meaning of its clauses; here a tree is put together from them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from contacts_svc.segments.compile import (
    activity,
    membership,
    orders,
    permission,
    profile,
    standing,
)
from contacts_svc.segments.compile.base import Facts, Holds, Meaning, Moments, earliest, person
from contacts_svc.segments.compile.reach import exclusion, may_be_contacted, reachable
from contacts_svc.segments.conditions import All, AnyOf, Nested, Node, Not, every
from contacts_svc.touched import Family

Clause = ColumnElement[bool]
_MEANINGS: dict[type, Meaning] = {
    **profile.MEANINGS,
    **permission.MEANINGS,
    **orders.MEANINGS,
    **activity.MEANINGS,
    **standing.MEANINGS,
    **membership.MEANINGS,
}


def clause(node: Node, *, now: datetime) -> Holds:
    """Return what holds for a row of `person` when the condition holds for that person."""
    if isinstance(node, All):
        return and_(*(clause(part, now=now) for part in node.of))
    if isinstance(node, AnyOf):
        return or_(*(clause(part, now=now) for part in node.of))
    if isinstance(node, Not):
        return not_(clause(node.of, now=now))
    if isinstance(node, Nested):
        return clause(node.of, now=now)
    return _MEANINGS[type(node)].holds(node, now)


def facts_of(node: Node, *, now: datetime) -> Facts:
    """Return the facts of a person that decide a clause, as a JSON object; of one with parts, none."""
    meaning = _MEANINGS.get(type(node))
    return literal({}, JSONB) if meaning is None else meaning.facts(node, now)


def families(condition: Node) -> Family:
    """Return the families of facts that a condition reads."""
    found = Family(0)
    for node in every(condition):
        meaning = _MEANINGS.get(type(node))
        found |= Family(0) if meaning is None else meaning.families
    return found


def next_flip(condition: Node, *, now: datetime) -> Moments | None:
    """Return the next moment at which time alone may change the condition for a row of `person`.

    None when time changes nothing; null for a person of whom nothing is about to change.
    """
    flips = [flip for node in every(condition) if (flip := _flip(node, now)) is not None]
    return earliest(*flips) if flips else None


def _flip(node: Node, now: datetime) -> Moments | None:
    meaning = _MEANINGS.get(type(node))
    return None if meaning is None else meaning.flips(node, now)


def known_clauses() -> Iterable[type]:
    """Return the kinds of clauses that have a meaning."""
    return _MEANINGS.keys()


def members(condition: Node, *, now: datetime) -> Select[Any]:
    """Select the persons of a segment; the erased are in none."""
    return select(person.c.id).where(~person.c.is_erased, clause(condition, now=now))


__all__ = [
    "Clause",
    "clause",
    "exclusion",
    "facts_of",
    "families",
    "known_clauses",
    "may_be_contacted",
    "members",
    "next_flip",
    "person",
    "reachable",
]
