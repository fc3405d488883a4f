"""Clauses about the person, in SQL."""

from datetime import timedelta

from sqlalchemy import and_, case, func, or_

from contacts_svc.segments.compile.base import (
    Facts,
    Holds,
    Meaning,
    Moments,
    Now,
    Past,
    after,
    facts,
    person,
)
from contacts_svc.segments.conditions.base import Clause
from contacts_svc.segments.conditions.profile import (
    CityIs,
    CountryIs,
    Created,
    LanguageIs,
    LifecycleIs,
    PostalCodeBetween,
    PostalCodeStarts,
    SourceIs,
)
from contacts_svc.touched import Family

OneOf = CountryIs | LanguageIs | LifecycleIs | SourceIs


def _one_of(node: OneOf, _now: Now) -> Holds:
    return person.c[node.op].in_([str(value) for value in node.is_in])


def _value(node: OneOf | CityIs, _now: Now) -> Facts:
    return facts(**{node.op: person.c[node.op]})


def _postal_code(_node: Clause, _now: Now) -> Facts:
    return facts(postal_code=person.c.postal_code)


def _created(node: Created, now: Now) -> Holds:
    bounds = []
    if node.since is not None:
        bounds.append(person.c.created_at >= node.since)
    if node.before is not None:
        bounds.append(person.c.created_at < node.before)
    if node.within_days is not None:
        bounds.append(person.c.created_at >= now - timedelta(days=node.within_days))
    if isinstance(now, Past):
        bounds.append(person.c.created_at <= now)
    return and_(*bounds)


def _created_flips(node: Created, now: Now) -> Moments | None:
    if node.within_days is None:
        return None
    end = after(person.c.created_at, node.within_days)
    return case((end > now, end))


_ONE_OF = Meaning(Family.PROFILE, _one_of, _value)

MEANINGS: dict[type, Meaning] = {
    CountryIs: _ONE_OF,
    LanguageIs: _ONE_OF,
    LifecycleIs: _ONE_OF,
    SourceIs: _ONE_OF,
    CityIs: Meaning(
        Family.PROFILE,
        lambda node, _now: func.lower(person.c.city).in_([one.lower() for one in node.is_in]),
        _value,
    ),
    PostalCodeStarts: Meaning(
        Family.PROFILE,
        lambda node, _now: or_(
            *(person.c.postal_code.startswith(start, autoescape=True) for start in node.starts_with)
        ),
        _postal_code,
    ),
    PostalCodeBetween: Meaning(
        Family.PROFILE,
        lambda node, _now: and_(
            func.length(person.c.postal_code) == len(node.first),
            person.c.postal_code.between(node.first, node.last),
        ),
        _postal_code,
    ),
    Created: Meaning(
        Family.PROFILE,
        _created,
        lambda _node, _now: facts(created_at=person.c.created_at),
        _created_flips,
    ),
}
