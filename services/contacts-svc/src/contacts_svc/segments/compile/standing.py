"""Clauses about where a person stands, in SQL."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from contacts_svc.base import table_of
from contacts_svc.fields.model import FieldValue
from contacts_svc.organisations.model import PersonLink
from contacts_svc.people.model import Identifier
from contacts_svc.permissions.model import Preference
from contacts_svc.scores.model import QualityScore
from contacts_svc.segments.compile.base import (
    Facts,
    Holds,
    Meaning,
    Moments,
    Now,
    earliest,
    facts,
    midnight,
    person,
    today,
)
from contacts_svc.segments.conditions.base import Clause
from contacts_svc.segments.conditions.standing import (
    FieldIs,
    Linked,
    Paused,
    Quality,
    Reach,
    Spared,
    Value,
    WantsTopic,
)
from contacts_svc.touched import Family
from contacts_svc.value.model import PersonValue

_identifier: Table = table_of(Identifier)
_value: Table = table_of(PersonValue)
_preference: Table = table_of(Preference)
_link: Table = table_of(PersonLink)
_field: Table = table_of(FieldValue)
_score: Table = table_of(QualityScore)
_NOTHING = literal({}, JSONB)


def _of_person(table: Table, what: ColumnElement[Any], *bounds: Holds) -> Select[Any]:
    return select(what).where(table.c.person_id == person.c.id, *bounds).correlate(person)


def _told(table: Table, what: Facts, *bounds: Holds) -> Facts:
    """Return the facts of a row that may not be there."""
    return func.coalesce(_of_person(table, what, *bounds).scalar_subquery(), _NOTHING)


def _coming(moment: Moments, now: Now) -> Moments:
    return case((moment > now, moment))


def _first(table: Table, moment: Moments, now: Now, *bounds: Holds) -> Moments:
    """Return the first of these moments that is still to come."""
    chosen = _of_person(table, func.min(moment), *bounds, moment > now)
    return chosen.scalar_subquery()


# --- Addresses ---------------------------------------------------------------------------------------------------------


def _reach(node: Reach, _now: Now) -> Holds:
    if node.kind == "address":
        there = and_(person.c.street != "", person.c.postal_code != "", person.c.city != "")
        return there if node.state == "present" else ~there
    first = _of_person(
        _identifier,
        _identifier.c.person_id,
        _identifier.c.kind == node.kind,
        _identifier.c.is_primary,
    )
    if node.state == "missing":
        return ~first.exists()
    if node.state == "present":
        return first.exists()
    return first.where(_identifier.c.reachability == node.state).exists()


def _reach_facts(node: Reach, _now: Now) -> Facts:
    if node.kind == "address":
        return facts(postal_code=person.c.postal_code, city=person.c.city)
    return _told(
        _identifier,
        facts(reachability=_identifier.c.reachability, validity=_identifier.c.validity),
        _identifier.c.kind == node.kind,
        _identifier.c.is_primary,
    )


def _spared(_node: Clause, now: Now) -> Holds:
    later = and_(person.c.not_before.is_not(None), person.c.not_before > today(now))
    return or_(person.c.do_not_contact, later)


# --- Worth and wishes -------------------------------------------------------------------------------------------------


def _worth(node: Value, _now: Now) -> Holds:
    bounds: list[Holds] = []
    if node.classes:
        bounds.append(_value.c.rfm_class.in_(node.classes))
    if node.tiers:
        bounds.append(_value.c.tier.in_(node.tiers))
    for name in ("recency", "frequency", "monetary"):
        band = getattr(node, f"{name}_at_least")
        if band is not None:
            bounds.append(_value.c[name] >= band)
    return _of_person(_value, _value.c.person_id, *bounds).exists()


def _worth_facts(_node: Clause, _now: Now) -> Facts:
    names = ("rfm_class", "tier", "recency", "frequency", "monetary", "orders", "last_order_at")
    return _told(_value, facts(**{name: _value.c[name] for name in names}))


def _topic(node: WantsTopic, _now: Now) -> Holds:
    said = _preference.c.topics[node.topic].astext
    if node.state == "none":
        return ~_of_person(_preference, _preference.c.person_id, said.is_not(None)).exists()
    wanted = "true" if node.state == "wanted" else "false"
    return _of_person(_preference, _preference.c.person_id, said == wanted).exists()


def _paused(_node: Clause, now: Now) -> Holds:
    return _of_person(
        _preference, _preference.c.person_id, _preference.c.paused_until > now
    ).exists()


# --- Links -------------------------------------------------------------------------------------------------------------


def _links(node: Linked) -> list[Holds]:
    bounds: list[Holds] = [_link.c.relevance >= node.min_relevance]
    if node.organisation_ids:
        bounds.append(_link.c.organisation_id.in_(node.organisation_ids))
    if node.roles:
        bounds.append(_link.c.role.in_(node.roles))
    if node.contactable:
        bounds.append(~_link.c.do_not_contact)
    return bounds


def _linked(node: Linked, now: Now) -> list[Holds]:
    day = today(now)
    bounds = [
        *_links(node),
        or_(_link.c.valid_from.is_(None), _link.c.valid_from <= day),
        or_(_link.c.valid_to.is_(None), _link.c.valid_to >= day),
    ]
    if node.contactable:
        bounds.append(or_(_link.c.not_before.is_(None), _link.c.not_before <= day))
    return bounds


def _link_facts(node: Linked, now: Now) -> Facts:
    one = facts(organisation_id=_link.c.organisation_id, role=_link.c.role)
    every = func.coalesce(func.jsonb_agg(one), literal([], JSONB))
    return _of_person(_link, facts(links=every), *_linked(node, now)).scalar_subquery()


def _link_flips(node: Linked, now: Now) -> Moments:
    bounds = _links(node)
    moments = [
        _first(_link, midnight(_link.c.valid_from), now, *bounds),
        _first(_link, midnight(_link.c.valid_to, days=1), now, *bounds),
    ]
    if node.contactable:
        moments.append(_first(_link, midnight(_link.c.not_before), now, *bounds))
    return earliest(*moments)


# --- Declared fields ---------------------------------------------------------------------------------------------------


def _field_bounds(node: FieldIs, now: Now) -> list[Holds]:
    number, day = _field.c.number_value, _field.c.date_value
    bounds: list[Holds] = [_field.c.key == node.key]
    if node.is_in:
        bounds.append(_field.c.text_value.in_(node.is_in))
    if node.at_least is not None:
        bounds.append(number >= literal(node.at_least, Numeric()))
    if node.at_most is not None:
        bounds.append(number <= literal(node.at_most, Numeric()))
    if node.since is not None:
        bounds.append(day >= node.since)
    if node.before is not None:
        bounds.append(day < node.before)
    if node.in_last_days is not None:
        bounds.append(day.between(today(now, days=-node.in_last_days), today(now)))
    if node.in_next_days is not None:
        bounds.append(day.between(today(now), today(now, days=node.in_next_days)))
    return bounds


def _field_facts(node: FieldIs, _now: Now) -> Facts:
    text = func.coalesce(
        _field.c.text_value, cast(_field.c.number_value, Text), cast(_field.c.date_value, Text)
    )
    every = func.coalesce(func.jsonb_agg(text), literal([], JSONB))
    return _of_person(_field, facts(values=every), _field.c.key == node.key).scalar_subquery()


def _field_flips(node: FieldIs, now: Now) -> Moments | None:
    day, mine = _field.c.date_value, _field.c.key == node.key
    if node.in_last_days is None and node.in_next_days is None:
        return None
    moments = []
    if node.in_last_days is not None:
        moments += [midnight(day), midnight(day, days=node.in_last_days + 1)]
    if node.in_next_days is not None:
        moments += [midnight(day, days=-node.in_next_days), midnight(day, days=1)]
    return earliest(*(_first(_field, moment, now, mine) for moment in moments))


MEANINGS: dict[type, Meaning] = {
    Reach: Meaning(Family.REACH | Family.PROFILE, _reach, _reach_facts),
    Spared: Meaning(
        Family.PROFILE,
        _spared,
        lambda _node, _now: facts(
            do_not_contact=person.c.do_not_contact, not_before=person.c.not_before
        ),
        lambda _node, now: _coming(midnight(person.c.not_before), now),
    ),
    Value: Meaning(Family.VALUE, _worth, _worth_facts),
    WantsTopic: Meaning(
        Family.PERMISSION,
        _topic,
        lambda node, _now: _told(_preference, facts(topic=_preference.c.topics[node.topic].astext)),
    ),
    Paused: Meaning(
        Family.PERMISSION,
        _paused,
        lambda _node, _now: _told(_preference, facts(paused_until=_preference.c.paused_until)),
        lambda _node, now: _first(_preference, _preference.c.paused_until, now),
    ),
    Quality: Meaning(
        Family.QUALITY,
        lambda node, _now: _of_person(
            _score, _score.c.person_id, _score.c.score.between(node.at_least, node.at_most)
        ).exists(),
        lambda _node, _now: _told(
            _score, facts(score=_score.c.score, scored_at=_score.c.scored_at)
        ),
    ),
    Linked: Meaning(
        Family.LINK,
        lambda node, now: _of_person(_link, _link.c.id, *_linked(node, now)).exists(),
        _link_facts,
        _link_flips,
    ),
    FieldIs: Meaning(
        Family.FIELD,
        lambda node, now: _of_person(
            _field, _field.c.person_id, *_field_bounds(node, now)
        ).exists(),
        _field_facts,
        _field_flips,
    ),
}
