"""The same decision for many people at once: the table of rules as an expression over a row of `person`.

`decide` is the rule; a test compares the two over people of every kind.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import IntEnum
from itertools import chain
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, case, false, func, literal, not_, or_, true

from contacts_svc.permissions.decide import Reason
from contacts_svc.permissions.known_sql import (
    About,
    Context,
    Holds,
    Known,
    customers,
    is_clear,
    is_named,
    joined,
    load,
    looked_up,
    person,
)
from contacts_svc.permissions.rules_table import COUNTRIES, ELSEWHERE, RULES, Need, Rule, purpose_of
from kantis_contracts.values import Channel, MessageClass, Purpose, RecipientKind, Relation


def allowed(
    context: Context,
    channel: Channel,
    message_class: MessageClass,
    *,
    purpose: Purpose | None = None,
    topic: str | None = None,
    list_id: UUID | None = None,
    known: Known | None = None,
    rules: Iterable[Rule] = RULES,
) -> Holds:
    """Return what holds for persons to whom a message may go out now; the erased are for the caller to leave out.

    `known` is what `joined` gives for the same message; without it each person is looked up.
    """
    about = About(channel, purpose or purpose_of(message_class), topic, list_id)
    facts = known or looked_up(context, about)
    rows = _rows(context, channel, message_class, rules)
    by_need = _by_need(rows)
    free = by_need.pop(Need.NOTHING, [])
    forbidden = by_need.pop(Need.NEVER, [])
    met = [
        and_(_apply(found, facts), _met(need, context, channel, facts))
        for need, found in by_need.items()
    ]
    if not (free or forbidden) and met:
        # Whatever a row asks for, a consent is enough: what ties the person to us need not be looked up then.
        met.insert(0, and_(facts.consent, _concerns(_of_whom(chain(*by_need.values())))))
    if not met:
        return _apply(free, facts)
    refusals = (not_(refusal) for _, refusal in _refusals(context, facts))
    return or_(_apply(free, facts), and_(*refusals, or_(*met)))


def reason(
    context: Context,
    channel: Channel,
    message_class: MessageClass,
    *,
    purpose: Purpose | None = None,
    topic: str | None = None,
    list_id: UUID | None = None,
    known: Known | None = None,
    rules: Iterable[Rule] = RULES,
) -> ColumnElement[str]:
    """Return why a message may not go out now, in the words of `decide.Reason`; empty where it may."""
    about = About(channel, purpose or purpose_of(message_class), topic, list_id)
    facts = known or looked_up(context, about)
    by_need = _by_need(_rows(context, channel, message_class, rules))
    free, forbidden = by_need.pop(Need.NOTHING, []), by_need.pop(Need.NEVER, [])
    cases: list[tuple[Holds, ColumnElement[str]]] = [
        *([(_apply(free, facts), _word(""))] if free else []),
        *([(_apply(forbidden, facts), _word(Reason.FORBIDDEN))] if forbidden else []),
    ]
    if by_need:
        of_anybody = [rule for found in by_need.values() for rule in found]
        cases.append((not_(_apply(of_anybody, facts)), _word(Reason.NO_RULE)))
        cases += [(refusal, _word(why)) for why, refusal in _refusals(context, facts)]
    for need, found in by_need.items():
        applies = _apply(found, facts)
        cases.append((and_(applies, _met(need, context, channel, facts)), _word("")))
        cases += [
            (and_(applies, unmet), _word(why))
            for unmet, why in _unmet(need, context, channel, facts)
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


def _by_need(rules: Iterable[Rule]) -> dict[Need, list[Rule]]:
    found: dict[Need, list[Rule]] = {}
    for rule in rules:
        found.setdefault(rule.need, []).append(rule)
    return found


def _apply(rules: Iterable[Rule], known: Known) -> Holds:
    """Return what holds for persons to whom one of these rows applies; whom rows concern is asked once, not row by row."""
    by_tie: dict[_Tie, list[Rule]] = {}
    for rule in rules:
        by_tie.setdefault(_tie(rule.relations), []).append(rule)
    asked = [
        and_(_concerns(_of_whom(found)), _is_tied(tie, known))
        for tie, found in sorted(
            by_tie.items()
        )  # who need not be tied to us comes first: that costs no look-up
    ]
    return or_(false(), *asked)


class _Tie(IntEnum):
    """What the relations of a row ask of a person."""

    NOTHING = 0
    CUSTOMER = 1
    STRANGER = 2
    NOBODY = 3


def _tie(relations: frozenset[Relation]) -> _Tie:
    if {Relation.NONE, Relation.CUSTOMER} <= relations:
        return _Tie.NOTHING
    if Relation.CUSTOMER in relations:
        return _Tie.CUSTOMER
    return _Tie.STRANGER if Relation.NONE in relations else _Tie.NOBODY


def _is_tied(tie: _Tie, known: Known) -> Holds:
    if tie is _Tie.NOTHING:
        return true()
    if tie is _Tie.CUSTOMER:
        return known.customer
    return not_(known.customer) if tie is _Tie.STRANGER else false()


def _of_whom(rules: Iterable[Rule]) -> set[tuple[str, str]]:
    """Return the countries and kinds of recipients that rows concern, as pairs."""
    return {
        (country, kind.value)
        for rule in rules
        for country in rule.countries
        for kind in rule.recipients
    }


def _concerns(pairs: Iterable[tuple[str, str]]) -> Holds:
    """Return what holds for persons of these countries and kinds; countries with the same kinds share a comparison."""
    kinds: dict[str, set[str]] = {}
    for country, kind in pairs:
        kinds.setdefault(country, set()).add(kind)
    countries: dict[tuple[str, ...], list[str]] = {}
    for country, found in sorted(kinds.items()):
        countries.setdefault(tuple(sorted(found)), []).append(country)
    return or_(
        false(), *(and_(_is_in(found), _is_one_of(of)) for of, found in sorted(countries.items()))
    )


def _is_in(countries: Sequence[str]) -> Holds:
    if ELSEWHERE not in countries:
        return person.c.country.in_(countries)
    others = [one for one in COUNTRIES if one not in countries]
    return person.c.country.not_in(others) if others else true()


def _is_one_of(kinds: Sequence[str]) -> Holds:
    return true() if len(kinds) == len(RecipientKind) else person.c.recipient_kind.in_(kinds)


def _met(need: Need, context: Context, channel: Channel, known: Known) -> Holds:
    if need is Need.CONSENT:
        return known.consent
    if need is Need.SOFT:
        return or_(known.consent, known.soft)
    if need is Need.WASHED:
        return or_(known.consent, is_clear(context, channel, known))
    return true()


def _unmet(
    need: Need, context: Context, channel: Channel, known: Known
) -> list[tuple[Holds, Reason]]:
    """Return why what a rule asks for is not there, the first that holds, for those of whom it is not."""
    if need is Need.WASHED:
        return [(is_named(context, channel, known), Reason.RESERVED), (true(), Reason.WASH_MISSING)]
    return [
        *([(known.soft, Reason.SOFT_IS_NOT_ENOUGH)] if need is Need.CONSENT else []),
        (known.pending, Reason.NOT_CONFIRMED),
        (true(), Reason.NO_CONSENT),
    ]


def _refusals(context: Context, known: Known) -> list[tuple[Reason, Holds]]:
    """Return what a person may have said no to, in the order in which it is named."""
    later = func.coalesce(person.c.not_before > _day(context.at), false())
    return [
        (Reason.DO_NOT_CONTACT, or_(person.c.do_not_contact, later)),
        (Reason.SUPPRESSED, known.suppressed),
        (Reason.REFUSED, known.withdrawn),
        (Reason.TOPIC_REFUSED, known.topic_refused),
        (Reason.PAUSED, known.paused),
    ]


def _day(at: datetime) -> date:
    return at.date()


__all__ = [
    "About",
    "Context",
    "Known",
    "allowed",
    "customers",
    "joined",
    "load",
    "looked_up",
    "person",
    "reason",
]
