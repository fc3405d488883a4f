"""What a clause means in SQL: when it holds, by which facts, and when time alone may change it next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    Integer,
    Interval,
    Select,
    Table,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from contacts_svc.base import table_of
from contacts_svc.people.model import Person
from contacts_svc.segments.conditions.base import Clause, Compare, Counted, Window
from contacts_svc.touched import Family

person: Table = table_of(Person)
Holds = ColumnElement[bool]
Facts = ColumnElement[Any]
Moments = ColumnElement[Any]
Now = datetime | ColumnElement[Any]
"""The moment for which is asked; as an expression, so that a statement need not be put together anew for each."""


class Past(datetime):
    """A moment that has been: what has happened since does not count for it."""


def as_of(moment: datetime) -> Past:
    """Return a moment that has been, as `now` of a condition."""
    return Past.fromtimestamp(moment.timestamp(), UTC)


SHOWN = 5
"""How many of the rows that a clause counts are named when it is explained."""
_NEXT = timedelta(microseconds=1)


def _no_flip(_node: Clause, _now: Now) -> Moments | None:
    return None


@dataclass(frozen=True, slots=True)
class Meaning:
    """A clause in SQL, as expressions over a row of `person`."""

    families: Family
    """Facts of these families decide it."""
    holds: Callable[[Any, Now], Holds]
    facts: Callable[[Any, Now], Facts]
    """What decides it, as a JSON object."""
    flips: Callable[[Any, Now], Moments | None] = _no_flip
    """The next moment after now at which time alone may change it; null when there is none."""
    sweeps: Callable[[Any, Now], Holds] | None = None
    """The same as `holds`, put so that it can be answered for everybody at once instead of person by person."""


def facts(**values: Any) -> Facts:
    """Return a JSON object of these values."""
    pairs = [part for key, value in values.items() for part in (literal(key), value)]
    return func.jsonb_build_object(*pairs, type_=JSONB)


def after(moment: ColumnElement[Any], days: int) -> Moments:
    """Return the first moment at which something is no longer within these days."""
    return moment + literal(timedelta(days=days) + _NEXT, Interval())


def midnight(day: ColumnElement[Any], *, days: int = 0) -> Moments:
    """Return the first moment of a day, or of one some days later, in UTC."""
    moved = day + literal(days, Integer()) if days else day
    return func.timezone("UTC", cast(moved, DateTime()), type_=DateTime(timezone=True))


def today(now: Now, *, days: int = 0) -> Any:  # noqa: ANN401 - a date, or one in SQL
    """Return the day of a moment, or the one some days later, in UTC."""
    if isinstance(now, datetime):
        return now.astimezone(UTC).date() + timedelta(days=days)
    day = cast(func.timezone("UTC", now), Date())
    return day + literal(days, Integer()) if days else day


def earliest(*moments: Moments) -> Moments:
    """Return the earliest of these moments; those that are null do not count."""
    return func.least(*moments, type_=DateTime(timezone=True))


def within(column: ColumnElement[Any], node: Window, now: Now) -> list[Holds]:
    """Return the bounds that a window sets on a moment."""
    bounds: list[Holds] = []
    if node.since is not None:
        bounds.append(column >= node.since)
    if node.within_days is not None:
        bounds.append(column >= now - timedelta(days=node.within_days))
    if isinstance(now, Past):
        bounds.append(column <= now)
    return bounds


def compared(number: ColumnElement[Any], node: Counted) -> Holds:
    """Compare a number as the clause says."""
    return number >= node.value if node.compare is Compare.AT_LEAST else number <= node.value


def _nothing(_node: Clause, _now: Now) -> Sequence[Holds]:
    return ()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows about a person that clauses count in a window; makes the meaning of such a clause."""

    table: FromClause
    id: ColumnElement[Any]
    at: ColumnElement[Any]
    families: Family
    narrowed: Callable[[Any, Now], Sequence[Holds]] = _nothing
    """Which rows a clause is about."""
    measured: Callable[[Any], ColumnElement[Any]] = field(default=lambda _node: func.count())
    told: Callable[[Any], dict[str, Any]] = field(default=lambda _node: {})
    """Further figures for the explanation."""
    counts: Callable[[Any], bool] = field(default=lambda _node: True)
    """Whether a clause counts the rows; otherwise it adds something up."""

    def chosen(self, what: ColumnElement[Any], node: Window, now: Now) -> Select[Any]:
        """Select from the person's rows that the clause is about."""
        return (
            select(what)
            .where(
                self.table.c.person_id == person.c.id,
                *self.narrowed(node, now),
                *within(self.at, node, now),
            )
            .correlate(person)
        )

    def holds(self, node: Counted, now: Now) -> Holds:
        """Compare the number of rows."""
        if self.counts(node) and node.asks_for_any:
            found = self.chosen(literal(1), node, now).exists()
            return found if node.compare is Compare.AT_LEAST else ~found
        return compared(self.chosen(self.measured(node), node, now).scalar_subquery(), node)

    def sweeps(self, node: Counted, now: Now) -> Holds:
        """Compare the number of rows, grouped once by person; who has none is in no group."""
        if self.counts(node) and node.asks_for_any:
            return self.holds(node, now)
        without = node.value <= 0 if node.compare is Compare.AT_LEAST else node.value >= 0
        holds = compared(self.measured(node), node)
        groups = (
            select(self.table.c.person_id)
            .where(*self.narrowed(node, now), *within(self.at, node, now))
            .group_by(self.table.c.person_id)
            .having(~holds if without else holds)
            .subquery()
        )
        found = select(literal(1)).where(groups.c.person_id == person.c.id).correlate(person)
        return ~found.exists() if without else found.exists()

    def facts(self, node: Window, now: Now) -> Facts:
        """Tell how many there are, from when to when, and which are the newest."""
        newest = func.array_agg(aggregate_order_by(self.id, self.at.desc()))[1:SHOWN]
        return self.chosen(
            facts(
                count=func.count(),
                first_at=func.min(self.at),
                last_at=func.max(self.at),
                newest_ids=func.coalesce(func.to_jsonb(newest), literal([], JSONB)),
                **self.told(node),
            ),
            node,
            now,
        ).scalar_subquery()

    def flips(self, node: Window, now: Now) -> Moments | None:
        """Tell when the oldest row leaves the window."""
        if node.within_days is None:
            return None
        return self.chosen(after(func.min(self.at), node.within_days), node, now).scalar_subquery()

    @property
    def meaning(self) -> Meaning:
        """The meaning of a clause that counts these rows."""
        return Meaning(self.families, self.holds, self.facts, self.flips, self.sweeps)


def of_campaigns(table: Table, ids: Sequence[UUID]) -> list[Holds]:
    """Return what holds for rows that came of these campaigns; nothing is asked without ids."""
    return [table.c.campaign_id.in_(ids)] if ids else []
