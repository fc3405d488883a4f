"""The same decision for many people at once: the table of rules as an expression over a row of `person`.

`decide` is the rule; a test compares the two over people of every kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlmodel import col

from contacts_svc.base import Moment, table_of
from contacts_svc.facts.model import OrderFact
from contacts_svc.people.model import Identifier, Person
from contacts_svc.people.queries import suppression_key
from contacts_svc.permissions.decide import CONSENT_BASIS, SOFT_BASIS, Reason
from contacts_svc.permissions.gather import is_recent, last_washes
from contacts_svc.permissions.hashes import (
    doorstep_sql,
    identity_sql,
    keyed_hash_sql,
)
from contacts_svc.permissions.kinds import RegisterKind, Scope
from contacts_svc.permissions.model import (
    PermissionNow,
    Preference,
    Register,
    RegisterHit,
    Suppression,
)
from contacts_svc.permissions.rules_table import COUNTRIES, ELSEWHERE, RULES, Need, Rule, purpose_of
from kantis_contracts.values import Channel, MessageClass, Purpose, Relation
from kantis_kit.tx import ReadTx

Holds = ColumnElement[bool]
person = table_of(Person)
_said = table_of(PermissionNow)
_order = table_of(OrderFact)
_identifier = table_of(Identifier)
_wish = table_of(Preference)
_kept = table_of(Suppression)
_hit = table_of(RegisterHit)


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision about many people needs beside their rows."""

    at: datetime
    key: bytes
    registers: tuple[tuple[Register, bool], ...]
    """Each reservation register, and whether its last wash still counts."""


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


def allowed(
    context: Context,
    channel: Channel,
    message_class: MessageClass,
    *,
    purpose: Purpose | None = None,
    topic: str | None = None,
    list_id: UUID | None = None,
    rules: Iterable[Rule] = RULES,
) -> Holds:
    """Return what holds for persons to whom a message may go out now; the erased are for the caller to leave out."""
    chosen = purpose or purpose_of(message_class)
    rows = _rows(context, channel, message_class, rules)
    free = [rule for rule in rows if rule.need is Need.NOTHING]
    asked = [rule for rule in rows if rule.need not in (Need.NOTHING, Need.NEVER)]
    refusals = _refusals(context, channel, chosen, topic, list_id)
    unless_refused = and_(
        # One refusal beside the other, not a negated alternative: each can become an anti-join.
        *(not_(refusal) for _, refusal in refusals),
        or_(
            false(), *(and_(_applies(rule), _met(rule, context, channel, chosen)) for rule in asked)
        ),
    )
    return or_(false(), *(_applies(rule) for rule in free), *([unless_refused] if asked else []))


def reason(
    context: Context,
    channel: Channel,
    message_class: MessageClass,
    *,
    purpose: Purpose | None = None,
    topic: str | None = None,
    list_id: UUID | None = None,
    rules: Iterable[Rule] = RULES,
) -> ColumnElement[str]:
    """Return why a message may not go out now, in the words of `decide.Reason`; empty where it may."""
    chosen = purpose or purpose_of(message_class)
    rows = _rows(context, channel, message_class, rules)
    by_need: dict[Need, list[Rule]] = {}
    for rule in rows:
        by_need.setdefault(rule.need, []).append(rule)
    free, forbidden = by_need.pop(Need.NOTHING, []), by_need.pop(Need.NEVER, [])
    of_anybody = [rule for found in by_need.values() for rule in found]
    cases: list[tuple[Holds, ColumnElement[str]]] = [
        *((_applies(rule), _word("")) for rule in free),
        *((_applies(rule), _word(Reason.FORBIDDEN)) for rule in forbidden),
    ]
    if of_anybody:
        cases += [
            (not_(or_(*(_applies(rule) for rule in of_anybody))), _word(Reason.NO_RULE)),
            *(
                (refusal, _word(why))
                for why, refusal in _refusals(context, channel, chosen, topic, list_id)
            ),
        ]
    for need, found in by_need.items():
        applies = or_(*(_applies(rule) for rule in found))
        cases.append((and_(applies, _met(found[0], context, channel, chosen)), _word("")))
        cases += [
            (and_(applies, unmet), _word(why))
            for unmet, why in _unmet(need, context, channel, chosen)
        ]
    return case(*cases, else_=_word(Reason.NO_RULE)) if cases else _word(Reason.NO_RULE)


def _word(text: str) -> ColumnElement[str]:
    return literal(str(text), String())


def _rows(
    context: Context, channel: Channel, message_class: MessageClass, rules: Iterable[Rule]
) -> list[Rule]:
    return [
        rule
        for rule in rules
        if channel in rule.channels
        and message_class in rule.classes
        and rule.is_valid(context.at.date())
    ]


def _unmet(
    need: Need, context: Context, channel: Channel, purpose: Purpose | None
) -> list[tuple[Holds, Reason]]:
    """Return why what a rule asks for is not there, the first that holds, for those of whom it is not."""
    if need is Need.WASHED:
        return [(is_named(context, channel), Reason.RESERVED), (true(), Reason.WASH_MISSING)]
    said = _about(channel, purpose)
    soft = said.where(_said.c.state == "granted", _said.c.legal_basis == SOFT_BASIS).exists()
    pending = said.where(_said.c.state == "pending").exists()
    return [
        *([(soft, Reason.SOFT_IS_NOT_ENOUGH)] if need is Need.CONSENT else []),
        (pending, Reason.NOT_CONFIRMED),
        (true(), Reason.NO_CONSENT),
    ]


def _applies(rule: Rule) -> Holds:
    named = sorted(rule.countries - {ELSEWHERE})
    country: Holds = person.c.country.in_(named) if named else false()
    if ELSEWHERE in rule.countries:
        country = or_(
            country, person.c.country.not_in([one for one in COUNTRIES if one != ELSEWHERE])
        )
    return and_(
        country,
        person.c.recipient_kind.in_(sorted(kind.value for kind in rule.recipients)),
        _is_tied(rule.relations),
    )


def _is_tied(relations: frozenset[Relation]) -> Holds:
    if {Relation.NONE, Relation.CUSTOMER} <= relations:
        return true()
    if Relation.CUSTOMER in relations:
        return is_customer()
    return not_(is_customer()) if Relation.NONE in relations else false()


def is_customer() -> Holds:
    """Return what holds for persons who have ordered, or of whom the ledger says so."""
    ordered = select(_order.c.order_id).where(
        _order.c.person_id == person.c.id, _order.c.cancelled_at.is_(None)
    )
    told = select(_said.c.person_id).where(
        _said.c.person_id == person.c.id,
        _said.c.state == "granted",
        _said.c.legal_basis == SOFT_BASIS,
    )
    return or_(ordered.correlate(person).exists(), told.correlate(person).exists())


def _about(channel: Channel, purpose: Purpose | None) -> Select[Any]:
    return (
        select(_said.c.person_id)
        .where(
            _said.c.person_id == person.c.id,
            _said.c.channel == channel.value,
            _said.c.purpose == (purpose.value if purpose else ""),
        )
        .correlate(person)
    )


def _met(rule: Rule, context: Context, channel: Channel, purpose: Purpose | None) -> Holds:
    granted = _about(channel, purpose).where(_said.c.state == "granted")
    consent = granted.where(_said.c.legal_basis == CONSENT_BASIS).exists()
    if rule.need is Need.CONSENT:
        return consent
    if rule.need is Need.SOFT:
        return or_(consent, granted.where(_said.c.legal_basis == SOFT_BASIS).exists())
    if rule.need is Need.WASHED:
        return or_(consent, is_clear(context, channel))
    return true()


def _refusals(
    context: Context,
    channel: Channel,
    purpose: Purpose | None,
    topic: str | None,
    list_id: UUID | None,
) -> list[tuple[Reason, Holds]]:
    """Return what a person may have said no to, in the order in which it is named."""
    wishes = select(_wish.c.person_id).where(_wish.c.person_id == person.c.id).correlate(person)
    now = literal(context.at, Moment)
    later = func.coalesce(person.c.not_before > _day(context.at), false())
    refusals: list[tuple[Reason, Holds]] = [
        (Reason.DO_NOT_CONTACT, or_(person.c.do_not_contact, later)),
        (Reason.SUPPRESSED, _is_suppressed(context, channel, topic, list_id)),
        (Reason.REFUSED, _about(channel, purpose).where(_said.c.state == "withdrawn").exists()),
    ]
    if topic:
        unwanted = _wish.c.topics.op("@>")(literal({topic: False}, _wish.c.topics.type))
        refusals.append((Reason.TOPIC_REFUSED, wishes.where(unwanted).exists()))
    refusals.append((Reason.PAUSED, wishes.where(_wish.c.paused_until > now).exists()))
    return refusals


def _day(at: datetime) -> date:
    return at.date()


def _is_suppressed(
    context: Context, channel: Channel, topic: str | None, list_id: UUID | None
) -> Holds:
    scopes = [
        _kept.c.scope == Scope.EVERYTHING.value,
        and_(_kept.c.scope == Scope.CHANNEL.value, _kept.c.scope_id == channel.value),
    ]
    if topic:
        scopes.append(and_(_kept.c.scope == Scope.TOPIC.value, _kept.c.scope_id == topic))
    if list_id:
        scopes.append(and_(_kept.c.scope == Scope.LIST.value, _kept.c.scope_id == str(list_id)))
    hashed = keyed_hash_sql(context.key, identity_sql(_identifier.c.kind, _identifier.c.value))
    return (
        select(_kept.c.id)
        .join(_identifier, _kept.c.hash == hashed)
        .where(_identifier.c.person_id == person.c.id, or_(*scopes))
        .correlate(person)
        .exists()
    )


def is_clear(context: Context, channel: Channel) -> Holds:
    """Return what holds for persons whom no register of their country names, all of them asked recently."""
    covering = [(one, recent) for one, recent in context.registers if channel in one.channels]
    by_country = []
    for country in sorted({one.country for one, _ in covering}):
        of_country = [(one, recent) for one, recent in covering if one.country == country]
        if all(recent for _, recent in of_country):
            by_country.append(
                and_(
                    person.c.country == country,
                    *(not_(_is_named(context, one)) for one, _ in of_country),
                )
            )
    return or_(false(), *by_country)


def is_named(context: Context, channel: Channel) -> Holds:
    """Return what holds for persons whom a register of their country names."""
    return or_(
        false(),
        *(
            and_(person.c.country == one.country, _is_named(context, one))
            for one, _ in context.registers
            if channel in one.channels
        ),
    )


def _is_named(context: Context, register: Register) -> Holds:
    if register.matches == RegisterKind.PHONE:
        hashed = keyed_hash_sql(context.key, identity_sql(_identifier.c.kind, _identifier.c.value))
        found = (
            select(_hit.c.hash)
            .join(_identifier, _hit.c.hash == hashed)
            .where(_identifier.c.person_id == person.c.id, _identifier.c.kind == "phone")
        )
    else:
        spelled = doorstep_sql(person.c.full_name, person.c.street, person.c.postal_code)
        found = select(_hit.c.hash).where(_hit.c.hash == keyed_hash_sql(context.key, spelled))
    return found.where(_hit.c.register_id == register.id).correlate(person).exists()
