"""The one module that turns a condition into SQL: typed tree in, SQLAlchemy expression with bound parameters out.

Each family of facts has its own module with the meaning of its clauses; here a tree is put together from them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from contacts_svc.segments.compile import (
    activity,
    anniversary,
    membership,
    orders,
    permission,
    profile,
    standing,
)
from contacts_svc.segments.compile.base import (
    Facts,
    Holds,
    Meaning,
    Moments,
    Now,
    as_of,
    earliest,
    person,
)
from contacts_svc.segments.compile.reach import Sheet, may_be_contacted
from contacts_svc.segments.compile.routes import Routes, read_route, routes
from contacts_svc.segments.conditions import All, AnyOf, Nested, Node, Not, every
from contacts_svc.touched import Family

Clause = ColumnElement[bool]
_MEANINGS: dict[type, Meaning] = {
    **profile.MEANINGS,
    **permission.MEANINGS,
    **orders.MEANINGS,
    **activity.MEANINGS,
    **standing.MEANINGS,
    **anniversary.MEANINGS,
    **membership.MEANINGS,
}


def clause(node: Node, *, now: Now, sweep: bool = False) -> Holds:
    """Return what holds for a row of `person` when the condition holds for that person.

    `sweep` puts it for everybody at once: counts are grouped, not worked out person by person.
    """
    if isinstance(node, All):
        return and_(*(clause(part, now=now, sweep=sweep) for part in _cheap_first(node.of)))
    if isinstance(node, AnyOf):
        return or_(*(clause(part, now=now, sweep=sweep) for part in _cheap_first(node.of)))
    if isinstance(node, Not):
        return not_(clause(node.of, now=now, sweep=sweep))
    if isinstance(node, Nested):
        return clause(node.of, now=now, sweep=sweep)
    meaning = _MEANINGS[type(node)]
    if sweep and meaning.sweeps is not None:
        return meaning.sweeps(node, now)
    return meaning.holds(node, now)


def _cheap_first(parts: Sequence[Node]) -> list[Node]:
    """Put parts that read the person's own row before those that look elsewhere; what they mean stays the same."""
    return sorted(parts, key=lambda part: not _is_own(part))


def _is_own(node: Node) -> bool:
    return families(node) in (Family(0), Family.PROFILE)


def facts_of(node: Node, *, now: Now) -> Facts:
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


def next_flip(condition: Node, *, now: Now) -> Moments | None:
    """Return the next moment at which time alone may change the condition for a row of `person`.

    None when time changes nothing; null for a person of whom nothing is about to change. Where the other parts decide
    already, whatever time does, nothing is.
    """
    if isinstance(condition, Not | Nested):
        return next_flip(condition.of, now=now)
    if not isinstance(condition, All | AnyOf):
        meaning = _MEANINGS.get(type(condition))
        return None if meaning is None else meaning.flips(condition, now)
    flips = [(part, next_flip(part, now=now)) for part in condition.of]
    moving = [flip for _, flip in flips if flip is not None]
    if not moving:
        return None
    lasting = [clause(part, now=now) for part, flip in flips if flip is None and _is_own(part)]
    if not lasting:
        return earliest(*moving)
    is_open = and_(*lasting) if isinstance(condition, All) else not_(or_(*lasting))
    return case((is_open, earliest(*moving)))


def known_clauses() -> Iterable[type]:
    """Return the kinds of clauses that have a meaning."""
    return _MEANINGS.keys()


def members(condition: Node, *, now: Now) -> Select[Any]:
    """Select the persons of a segment; the erased are in none."""
    return select(person.c.id).where(~person.c.is_erased, clause(condition, now=now, sweep=True))


__all__ = [
    "Clause",
    "Now",
    "Routes",
    "Sheet",
    "as_of",
    "clause",
    "facts_of",
    "families",
    "known_clauses",
    "may_be_contacted",
    "members",
    "next_flip",
    "person",
    "read_route",
    "routes",
]
