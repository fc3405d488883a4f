"""The one module that turns a condition into SQL: typed tree in, SQLAlchemy expression with bound parameters out."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, func, not_, or_, select

from contacts_svc.base import table_of
from contacts_svc.facts.model import OrderFact
from contacts_svc.people.model import Identifier, Person
from contacts_svc.permissions.model import ASKED_FIRST, PermissionNow
from contacts_svc.segments.conditions import (
    All,
    AnyOf,
    CityIs,
    Compare,
    CountryIs,
    Created,
    HasPermission,
    LanguageIs,
    LastOrder,
    LifecycleIs,
    Node,
    Not,
    OrderMeasure,
    Orders,
    PostalCodeStarts,
    SourceIs,
)
from kantis_contracts.values import Channel, Purpose

person: Table = table_of(Person)
_identifier: Table = table_of(Identifier)
_permission: Table = table_of(PermissionNow)
_order: Table = table_of(OrderFact)
Clause = ColumnElement[bool]


def clause(node: Node, *, now: datetime) -> Clause:
    """Return what holds for a row of `person` when the condition holds for that person."""
    return _COMPILED[type(node)](node, now)


def _created(node: Created, now: datetime) -> Clause:
    bounds = []
    if node.since is not None:
        bounds.append(person.c.created_at >= node.since)
    if node.before is not None:
        bounds.append(person.c.created_at < node.before)
    if node.within_days is not None:
        bounds.append(person.c.created_at >= now - timedelta(days=node.within_days))
    return and_(*bounds)


def _has_permission(node: HasPermission) -> Clause:
    about = (
        select(_permission.c.person_id)
        .where(
            _permission.c.person_id == person.c.id,
            _permission.c.channel == node.channel.value,
            _permission.c.purpose == node.purpose.value,
        )
        .correlate(person)
    )
    if node.state == "none":
        return ~about.exists()
    return about.where(_permission.c.state == str(node.state)).exists()


def _orders(node: Orders, now: datetime) -> Clause:
    measured: ColumnElement[int] = func.count()
    if node.measure is OrderMeasure.TOTAL_MINOR:
        measured = func.coalesce(func.sum(_order.c.total_minor), 0)
    wanted = select(measured).where(_order.c.person_id == person.c.id).correlate(person)
    if node.currency is not None:
        wanted = wanted.where(_order.c.currency == node.currency)
    if node.since is not None:
        wanted = wanted.where(_order.c.placed_at >= node.since)
    if node.within_days is not None:
        wanted = wanted.where(_order.c.placed_at >= now - timedelta(days=node.within_days))
    if node.paid_only:
        wanted = wanted.where(_order.c.paid_at.is_not(None))
    number = wanted.scalar_subquery()
    return number >= node.value if node.compare is Compare.AT_LEAST else number <= node.value


def _last_order(node: LastOrder, now: datetime) -> Clause:
    recent = select(_order.c.order_id).where(
        _order.c.person_id == person.c.id,
        _order.c.placed_at >= now - timedelta(days=node.within_days),
    )
    return recent.correlate(person).exists()


def _one_of(node: CountryIs | LanguageIs | LifecycleIs | SourceIs, _now: datetime) -> Clause:
    return person.c[node.op].in_([str(value) for value in node.is_in])


_COMPILED: dict[type, Callable[[Any, datetime], Clause]] = {
    All: lambda node, now: and_(*(clause(part, now=now) for part in node.of)),
    AnyOf: lambda node, now: or_(*(clause(part, now=now) for part in node.of)),
    Not: lambda node, now: not_(clause(node.of, now=now)),
    CountryIs: _one_of,
    LanguageIs: _one_of,
    LifecycleIs: _one_of,
    SourceIs: _one_of,
    CityIs: lambda node, _now: func.lower(person.c.city).in_(
        [value.lower() for value in node.is_in]
    ),
    PostalCodeStarts: lambda node, _now: or_(
        *(person.c.postal_code.startswith(start, autoescape=True) for start in node.starts_with)
    ),
    Created: _created,
    HasPermission: lambda node, _now: _has_permission(node),
    Orders: _orders,
    LastOrder: _last_order,
}


def members(condition: Node, *, now: datetime) -> Select[Any]:
    """Select the persons of a segment; the erased are in none."""
    return select(person.c.id).where(~person.c.is_erased, clause(condition, now=now))


def may_be_contacted(channel: Channel, purpose: Purpose) -> Clause:
    """Return what holds for persons whose permission lets a channel be used for a purpose."""
    about = (
        select(_permission.c.person_id)
        .where(
            _permission.c.person_id == person.c.id,
            _permission.c.channel == channel.value,
            _permission.c.purpose == purpose.value,
        )
        .correlate(person)
    )
    if channel in ASKED_FIRST:
        return about.where(_permission.c.state == "granted").exists()
    return ~about.where(_permission.c.state == "withdrawn").exists()


def has_address(channel: Channel) -> Clause:
    """Return what holds for persons who have an address for a channel."""
    if channel is Channel.LETTER:
        return and_(person.c.street != "", person.c.postal_code != "", person.c.city != "")
    return _first_address(channel).exists()


def is_undeliverable(channel: Channel) -> Clause:
    """Return what holds for persons whose only address for a channel is known not to work."""
    if channel is Channel.LETTER:
        return person.c.id.is_(None)  # postal returns are not known yet
    return (
        _first_address(channel)
        .where(
            or_(_identifier.c.reachability == "undeliverable", _identifier.c.validity == "invalid")
        )
        .exists()
    )


def _first_address(channel: Channel) -> Select[Any]:
    kind = "email" if channel in (Channel.EMAIL, Channel.WEB) else "phone"
    return (
        select(_identifier.c.person_id)
        .where(
            _identifier.c.person_id == person.c.id,
            _identifier.c.kind == kind,
            _identifier.c.is_primary,
        )
        .correlate(person)
    )
