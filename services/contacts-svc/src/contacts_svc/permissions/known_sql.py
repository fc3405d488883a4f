"""What a decision about many people needs to know of each, in SQL: looked up person by person, or joined to all of them.

Looking up is right for a few people, joining for the whole register; both mean the same, and a test compares them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Subquery,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlmodel import col

from contacts_svc.base import Moment, table_of
from contacts_svc.facts.model import OrderFact
from contacts_svc.people.model import Identifier, Person
from contacts_svc.people.queries import suppression_key
from contacts_svc.permissions.decide import CONSENT_BASIS, SOFT_BASIS
from contacts_svc.permissions.gather import is_recent, last_washes
from contacts_svc.permissions.hashes import (
    doorstep_sql,
    identity_sql,
    keyed_hash_sql,
    seal_sql,
)
from contacts_svc.permissions.kinds import RegisterKind, Scope
from contacts_svc.permissions.model import (
    ASKED_FIRST,
    Doorstep,
    PermissionNow,
    Preference,
    Register,
    RegisterHit,
    Suppression,
)
from kantis_contracts.values import Channel, Purpose
from kantis_kit.tx import ReadTx

Holds = ColumnElement[bool]
person = table_of(Person)
_said = table_of(PermissionNow)
_order = table_of(OrderFact)
_identifier = table_of(Identifier)
_wish = table_of(Preference)
_kept = table_of(Suppression)
_hit = table_of(RegisterHit)
_door = table_of(Doorstep)


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision about many people needs beside their rows."""

    at: datetime
    key: bytes
    registers: tuple[tuple[Register, bool], ...]
    """Each reservation register, and whether its last wash still counts."""

    def covering(self, channel: Channel) -> list[tuple[Register, bool]]:
        """Return the registers of a channel."""
        return [(one, recent) for one, recent in self.registers if channel in one.channels]


@dataclass(frozen=True, slots=True)
class About:
    """What a message is about, as far as a permission is asked for it."""

    channel: Channel
    purpose: Purpose | None
    topic: str | None = None
    list_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person, as expressions beside a row of `person`."""

    consent: Holds
    soft: Holds
    pending: Holds
    withdrawn: Holds
    customer: Holds
    suppressed: Holds
    paused: Holds
    topic_refused: Holds
    named: Mapping[UUID, Holds]
    """Whether a register names them, by the register's id; of those that cover the channel."""


async def load(tx: ReadTx) -> Context:
    """Return the context of decisions that are made now."""
    at = tx.clock.now()
    last = await last_washes(tx, at.date())
    rows = await tx.scalars(select(Register).order_by(col(Register.id)))
    return Context(
        at,
        suppression_key(tx),
        tuple((row, is_recent(row, last.get(row.id), at.date())) for row in rows),
    )


def looked_up(context: Context, about: About) -> Known:
    """Return what is known of a person as look-ups of that person."""
    said = (
        select(_said.c.person_id)
        .where(_said.c.person_id == person.c.id, *_is_about(about))
        .correlate(person)
    )
    granted = said.where(_said.c.state == "granted")
    wishes = select(_wish.c.person_id).where(_wish.c.person_id == person.c.id).correlate(person)
    ordered = select(_order.c.order_id).where(
        _order.c.person_id == person.c.id, _order.c.cancelled_at.is_(None)
    )
    told = select(_said.c.person_id).where(_said.c.person_id == person.c.id, *_IS_SOFT)
    kept = (
        select(_kept.c.id)
        .join(_identifier, _kept.c.hash == _hashed(context))
        .where(_identifier.c.person_id == person.c.id, or_(*_scopes(about)))
    )
    return Known(
        consent=granted.where(_said.c.legal_basis == CONSENT_BASIS).exists(),
        soft=granted.where(_said.c.legal_basis == SOFT_BASIS).exists(),
        pending=said.where(_said.c.state == "pending").exists(),
        withdrawn=said.where(_said.c.state == "withdrawn").exists(),
        customer=or_(ordered.correlate(person).exists(), told.correlate(person).exists()),
        suppressed=kept.correlate(person).exists(),
        paused=wishes.where(_wish.c.paused_until > literal(context.at, Moment)).exists(),
        topic_refused=wishes.where(_refuses(about)).exists() if about.topic else false(),
        named={one.id: _is_named(context, one) for one, _ in context.covering(about.channel)},
    )


def joined(
    context: Context, about: About, people: FromClause, customers: FromClause | None = None
) -> tuple[Known, FromClause]:
    """Return what is known of each person as columns, and the join that gives them; `people` has the rows of `person`.

    With `customers`, as the function of that name gives them, nobody is looked up to know whether they are one: for who
    asks about everybody, by several channels.

    What is compared is left bare: the planner foresees how many rows an equality leaves, of one inside a function it
    guesses. A consent is null where nothing was said; nobody asks for its contrary.
    """
    said, wish = _said.alias("said"), _wish.alias("wish")
    kept = _suppressed(context, about)
    granted = said.c.state == "granted"
    tables: FromClause = (
        people.outerjoin(said, and_(said.c.person_id == person.c.id, *_is_about(about, said)))
        .outerjoin(wish, wish.c.person_id == person.c.id)
        .outerjoin(kept, kept.c.person_id == person.c.id)
    )
    if about.channel in ASKED_FIRST and customers is None:
        # Most have said yes or may not be written to: few need to be looked up.
        is_customer = looked_up(context, about).customer
    else:
        customer = _customers().subquery("customer") if customers is None else customers
        tables = tables.outerjoin(customer, customer.c.person_id == person.c.id)
        is_customer = customer.c.person_id.is_not(None)
    named, tables = _wash(context, about.channel, tables)
    unwanted = func.coalesce(_refuses(about, wish), false()) if about.topic else false()
    known = Known(
        consent=and_(granted, said.c.legal_basis == CONSENT_BASIS),
        soft=and_(granted, said.c.legal_basis == SOFT_BASIS),
        pending=said.c.state.is_not_distinct_from("pending"),
        withdrawn=said.c.state.is_not_distinct_from("withdrawn"),
        customer=is_customer,
        suppressed=kept.c.person_id.is_not(None),
        paused=func.coalesce(wish.c.paused_until > literal(context.at, Moment), false()),
        topic_refused=unwanted,
        named=named,
    )
    return known, tables


_IS_SOFT = (_said.c.state == "granted", _said.c.legal_basis == SOFT_BASIS)


def _is_about(about: About, said: FromClause = _said) -> tuple[Holds, Holds]:
    purpose = about.purpose.value if about.purpose else ""
    return said.c.channel == about.channel.value, said.c.purpose == purpose


def _refuses(about: About, wish: FromClause = _wish) -> Holds:
    return wish.c.topics.contains({about.topic: False})


def _hashed(context: Context) -> ColumnElement[bytes]:
    return keyed_hash_sql(context.key, identity_sql(_identifier.c.kind, _identifier.c.value))


def _scopes(about: About) -> list[Holds]:
    scopes = [
        _kept.c.scope == Scope.EVERYTHING.value,
        and_(_kept.c.scope == Scope.CHANNEL.value, _kept.c.scope_id == about.channel.value),
    ]
    for scope, key in ((Scope.TOPIC, about.topic), (Scope.LIST, about.list_id)):
        if key:
            scopes.append(and_(_kept.c.scope == scope.value, _kept.c.scope_id == str(key)))
    return scopes


def customers() -> CTE:
    """Return all customers, each once, as a relation that is worked out once however often a statement joins it."""
    return _customers().cte("customer")


def _customers() -> CompoundSelect[UUID]:
    ordered = select(_order.c.person_id).where(_order.c.cancelled_at.is_(None))
    return union(ordered, select(_said.c.person_id).where(*_IS_SOFT))


def _suppressed(context: Context, about: About) -> Subquery:
    return (
        select(_identifier.c.person_id)
        .join(_kept, _kept.c.hash == _hashed(context))
        .where(or_(*_scopes(about)))
        .distinct()
        .subquery("kept")
    )


def _wash(
    context: Context, channel: Channel, tables: FromClause
) -> tuple[dict[UUID, Holds], FromClause]:
    """Join what the registers of a channel say; of those by address, whom each names is found at once for all."""
    named: dict[UUID, Holds] = {}
    spelled: ColumnElement[bytes] | None = None
    for register, _ in context.covering(channel):
        if register.matches == RegisterKind.PHONE:
            named[register.id] = _is_named(context, register)
            continue
        if spelled is None:
            tables = tables.outerjoin(_door, _door.c.person_id == person.c.id)
            seal = seal_sql(context.key, *_AT_HOME)
            spelled = case((_door.c.seal == seal, _door.c.hash), else_=_spelled(context))
        hit = _hit.alias(f"hit_{len(named)}")
        # Of people of other countries nothing is worked out.
        mine = case((person.c.country == register.country, spelled))
        tables = tables.outerjoin(hit, and_(hit.c.register_id == register.id, hit.c.hash == mine))
        named[register.id] = hit.c.hash.is_not(None)
    return named, tables


def is_clear(context: Context, channel: Channel, known: Known) -> Holds:
    """Return what holds for persons whom no register of their country names, all of them asked recently."""
    covering = context.covering(channel)
    by_country = []
    for country in sorted({one.country for one, _ in covering}):
        of_country = [(one, recent) for one, recent in covering if one.country == country]
        if all(recent for _, recent in of_country):
            named = [~known.named[one.id] for one, _ in of_country]
            by_country.append(and_(person.c.country == country, *named))
    return or_(false(), *by_country)


def is_named(context: Context, channel: Channel, known: Known) -> Holds:
    """Return what holds for persons whom a register of their country names."""
    return or_(
        false(),
        *(
            and_(person.c.country == one.country, known.named[one.id])
            for one, _ in context.covering(channel)
        ),
    )


_AT_HOME = (person.c.full_name, person.c.street, person.c.postal_code)


def _spelled(context: Context) -> ColumnElement[bytes]:
    return keyed_hash_sql(context.key, doorstep_sql(*_AT_HOME))


def _is_named(context: Context, register: Register) -> Holds:
    if register.matches == RegisterKind.PHONE:
        found = (
            select(_hit.c.hash)
            .join(_identifier, _hit.c.hash == _hashed(context))
            .where(_identifier.c.person_id == person.c.id, _identifier.c.kind == "phone")
        )
    else:
        found = select(_hit.c.hash).where(_hit.c.hash == _spelled(context))
    return found.where(_hit.c.register_id == register.id).correlate(person).exists()
