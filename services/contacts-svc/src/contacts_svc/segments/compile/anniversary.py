"""A clause about days that come back every year, in SQL."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Table,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    select,
)

from contacts_svc.base import table_of
from contacts_svc.facts.model import OrderFact
from contacts_svc.fields.model import FieldValue
from contacts_svc.segments.compile.base import (
    Facts,
    Holds,
    Meaning,
    Moments,
    Now,
    facts,
    midnight,
    person,
    today,
)
from contacts_svc.segments.conditions.anniversary import Anniversary
from contacts_svc.touched import Family

_order: Table = table_of(OrderFact)
_field: Table = table_of(FieldValue)


def _day(node: Anniversary) -> ColumnElement[Any]:
    """Return the day that comes back; null for who has none."""
    if node.of == "created":
        return cast(func.timezone("UTC", person.c.created_at), Date())
    if node.of == "first_order":
        first = select(func.min(_order.c.placed_at)).where(
            _order.c.person_id == person.c.id, _order.c.cancelled_at.is_(None)
        )
        return cast(func.timezone("UTC", first.correlate(person).scalar_subquery()), Date())
    value = select(func.min(_field.c.date_value)).where(
        _field.c.person_id == person.c.id, _field.c.key == node.key
    )
    return value.correlate(person).scalar_subquery()


def _years(day: ColumnElement[Any], now: Now) -> ColumnElement[Any]:
    """Return how many years the day of this year lies after the first one."""
    return cast(extract("year", _today(now)) - extract("year", day), Integer())


def _today(now: Now, *, days: int = 0) -> ColumnElement[Any]:
    return cast(today(now, days=days), Date())


def _after(day: ColumnElement[Any], years: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(day + func.make_interval(years), Date())


def _holds(node: Anniversary, now: Now) -> Holds:
    day = _day(node)
    years = _years(day, now)
    bounds: list[Holds] = [years >= 1, _after(day, years) == _today(now)]
    if node.years:
        bounds.append(years.in_(node.years))
    return func.coalesce(and_(*bounds), literal(value=False))


def _facts(node: Anniversary, now: Now) -> Facts:
    day = _day(node)
    return facts(day=day, years=_years(day, now))


def _flips(node: Anniversary, now: Now) -> Moments | None:
    """Tell when the day comes next, or when it is over."""
    day = _day(node)
    years = _years(day, now)
    this_year, next_year = _after(day, years), _after(day, years + 1)
    coming = case((this_year > _today(now), this_year), else_=next_year)
    # Today's ends with the day.
    is_today = and_(years >= 1, this_year == _today(now))
    return midnight(case((is_today, _today(now, days=1)), else_=coming))


MEANINGS: dict[type, Meaning] = {
    Anniversary: Meaning(Family.ORDER | Family.PROFILE | Family.FIELD, _holds, _facts, _flips)
}
