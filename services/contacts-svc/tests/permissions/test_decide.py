"""Who may be contacted how: every row of the table, and what a person's own words do to it."""

from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts_svc.permissions.decide import Facts, Reason, Verdict, Wash, decide
from contacts_svc.permissions.rules_table import (
    ADVERTISING,
    COUNTRIES,
    RULES,
    Combination,
    Need,
    find_rule,
)
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, MessageClass, Purpose, RecipientKind, Relation

PERSON, TRADER, COMPANY = RecipientKind
STRANGER, CUSTOMER, MEMBER = Relation
EMAIL, SMS, LETTER, PHONE, WEB = Channel
MARKETING, NEWSLETTER = MessageClass.MARKETING, MessageClass.NEWSLETTER
BASKET, WIN_BACK = MessageClass.CART_REMINDER, MessageClass.WIN_BACK
TODAY = date(2026, 11, 22)

# What the law says, written down by hand: (row, country, who, by what, why, relation, what each person may be sent).
# The four answers are for somebody who said nothing, whose address came with a sale, who said yes, and who said no.
ALL, YES, SOFT, NONE = "yyyy", "nnyn", "nyyn", "nnnn"
SILENCE_IS_YES, REGISTER = "yyyn", "wwyn"
LAW = [
    ("all-transactional", "DK", COMPANY, SMS, MessageClass.TRANSACTIONAL, STRANGER, ALL),
    ("all-service", "SE", PERSON, EMAIL, MessageClass.SERVICE, CUSTOMER, ALL),
    ("all-dunning", "FI", PERSON, LETTER, MessageClass.DUNNING, CUSTOMER, ALL),
    ("all-referral", "NO", PERSON, EMAIL, MessageClass.REFERRAL, STRANGER, NONE),
    ("all-club-terms", "NO", PERSON, EMAIL, MARKETING, MEMBER, YES),
    ("all-club-terms", "FI", TRADER, SMS, BASKET, MEMBER, YES),
    ("no-electronic", "NO", PERSON, EMAIL, MARKETING, STRANGER, YES),
    ("no-electronic", "NO", TRADER, SMS, NEWSLETTER, STRANGER, YES),
    ("no-electronic-customer", "NO", PERSON, EMAIL, MARKETING, CUSTOMER, SOFT),
    ("no-electronic-customer", "NO", PERSON, EMAIL, BASKET, CUSTOMER, SOFT),
    ("no-electronic-company", "NO", COMPANY, EMAIL, MARKETING, STRANGER, SILENCE_IS_YES),
    ("no-post-and-phone", "NO", PERSON, LETTER, MARKETING, STRANGER, REGISTER),
    ("no-post-and-phone", "NO", PERSON, PHONE, MARKETING, MEMBER, REGISTER),
    ("no-post-and-phone-customer", "NO", PERSON, LETTER, MARKETING, CUSTOMER, SILENCE_IS_YES),
    ("no-post-and-phone-business", "NO", TRADER, PHONE, MARKETING, STRANGER, SILENCE_IS_YES),
    ("se-electronic", "SE", TRADER, EMAIL, MARKETING, STRANGER, YES),
    ("se-electronic-customer", "SE", PERSON, EMAIL, WIN_BACK, CUSTOMER, SOFT),
    ("se-electronic-company", "SE", COMPANY, EMAIL, MARKETING, STRANGER, SILENCE_IS_YES),
    ("se-post-and-phone", "SE", PERSON, PHONE, MARKETING, STRANGER, REGISTER),
    ("se-post-and-phone", "SE", PERSON, LETTER, MARKETING, CUSTOMER, REGISTER),
    ("se-phone-sole-trader", "SE", TRADER, PHONE, MARKETING, STRANGER, REGISTER),
    ("se-post-sole-trader", "SE", TRADER, LETTER, MARKETING, STRANGER, SILENCE_IS_YES),
    ("se-post-and-phone-company", "SE", COMPANY, LETTER, MARKETING, STRANGER, SILENCE_IS_YES),
    ("se-post-and-phone-company", "SE", COMPANY, PHONE, MARKETING, CUSTOMER, SILENCE_IS_YES),
    ("dk-electronic", "DK", PERSON, EMAIL, MARKETING, STRANGER, YES),
    ("dk-electronic-company", "DK", COMPANY, EMAIL, MARKETING, STRANGER, YES),
    ("dk-electronic-company", "DK", COMPANY, EMAIL, NEWSLETTER, MEMBER, YES),
    ("dk-electronic-customer", "DK", COMPANY, EMAIL, MARKETING, CUSTOMER, SOFT),
    ("dk-basket", "DK", PERSON, EMAIL, BASKET, CUSTOMER, YES),
    ("dk-basket", "DK", PERSON, SMS, WIN_BACK, CUSTOMER, YES),
    ("dk-basket-company", "DK", COMPANY, EMAIL, WIN_BACK, CUSTOMER, YES),
    ("dk-post", "DK", PERSON, LETTER, MARKETING, CUSTOMER, REGISTER),
    ("dk-phone", "DK", PERSON, PHONE, MARKETING, STRANGER, YES),
    ("dk-phone", "DK", PERSON, PHONE, MARKETING, CUSTOMER, YES),
    ("dk-post-and-phone-business", "DK", COMPANY, PHONE, MARKETING, STRANGER, SILENCE_IS_YES),
    ("fi-electronic", "FI", PERSON, SMS, MARKETING, STRANGER, YES),
    ("fi-electronic-customer", "FI", PERSON, EMAIL, MARKETING, CUSTOMER, SOFT),
    ("fi-electronic-company", "FI", COMPANY, EMAIL, MARKETING, STRANGER, SILENCE_IS_YES),
    ("fi-post-and-phone", "FI", PERSON, PHONE, MARKETING, STRANGER, REGISTER),
    ("fi-post-and-phone-business", "FI", COMPANY, LETTER, MARKETING, STRANGER, SILENCE_IS_YES),
    ("is-electronic", "IS", PERSON, EMAIL, MARKETING, CUSTOMER, YES),
    ("is-electronic-company", "IS", COMPANY, EMAIL, MARKETING, STRANGER, YES),
    ("is-post-and-phone", "IS", PERSON, LETTER, MARKETING, STRANGER, REGISTER),
    ("is-post-and-phone-business", "IS", COMPANY, PHONE, MARKETING, STRANGER, SILENCE_IS_YES),
    ("elsewhere-electronic", "DE", PERSON, EMAIL, MARKETING, CUSTOMER, YES),
    ("elsewhere-electronic-company", "DE", COMPANY, EMAIL, MARKETING, CUSTOMER, YES),
    ("elsewhere-post", "DE", PERSON, LETTER, MARKETING, STRANGER, SILENCE_IS_YES),
    ("elsewhere-phone", "DE", PERSON, PHONE, MARKETING, STRANGER, YES),
]
SAID = (
    (None, ""),
    (PermissionState.GRANTED, "existing_customer"),
    (PermissionState.GRANTED, "consent"),
    (PermissionState.WITHDRAWN, "consent"),
)


def facts(country, recipient, channel, message_class, relation, **changes):
    given = {"purpose": Purpose.OFFERS, "on": TODAY, **changes}
    return Facts(country, recipient, channel, message_class, relation=relation, **given)


def answers(rules, *combination):
    """Spell the four answers; w = yes only while the register was asked and names nobody."""
    signs = []
    for state, basis in SAID:
        by_wash = {
            wash: decide(
                facts(*combination, state=state, legal_basis=basis, wash=wash), rules=rules
            ).is_allowed
            for wash in Wash
        }
        only_washed = {Wash.CLEAR: True, Wash.MISSING: False, Wash.RESERVED: False}
        signs.append("y" if all(by_wash.values()) else "w" if by_wash == only_washed else "n")
    return "".join(signs)


def broken_promises(rules):
    return [
        row
        for row, *combination, wanted in LAW
        if wanted != answers(rules, *combination)
        or row != decide(facts(*combination), rules=rules).rule_id
    ]


@pytest.mark.parametrize("line", LAW, ids="-".join)
def test_the_law_is_followed(line):
    row, *combination, wanted = line

    assert wanted == answers(RULES, *combination)
    assert row == decide(facts(*combination)).rule_id


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_without_any_one_row_a_promise_is_broken(rule):
    rest = [one for one in RULES if one is not rule]

    assert rule.id in broken_promises(rest)


def test_every_row_has_an_example_and_says_where_it_comes_from():
    assert [rule.id for rule in RULES] == list(dict.fromkeys(row for row, *_ in LAW))
    assert all(rule.source for rule in RULES)


@pytest.mark.parametrize("on", [date(2017, 7, 1), TODAY, date(2090, 1, 1)])
def test_every_combination_has_exactly_one_row(on):
    for country, who, channel, why, relation in product(
        COUNTRIES, RecipientKind, Channel, MessageClass, Relation
    ):
        found = [
            rule.id
            for rule in RULES
            if find_rule(Combination(country, who, channel, why, relation), on, rules=[rule])
        ]
        assert 1 == len(found), (country, who, channel, why, relation, found)


def test_a_row_holds_from_its_day_until_the_day_before_its_end():
    (law,) = [rule for rule in RULES if rule.id == "dk-electronic"]
    combination = Combination("DK", PERSON, EMAIL, MARKETING, STRANGER)

    before = find_rule(combination, date(2017, 6, 30))

    assert before is None
    assert law is find_rule(combination, date(2017, 7, 1))
    old = type(law)(
        **{name: getattr(law, name) for name in law.__slots__} | {"valid_to": date(2027, 1, 1)}
    )
    assert old is find_rule(combination, date(2026, 12, 31), rules=[old])
    assert None is find_rule(combination, date(2027, 1, 1), rules=[old])


def test_before_the_first_law_the_answer_is_no():
    decision = decide(facts("DK", PERSON, EMAIL, MARKETING, STRANGER, on=date(1999, 1, 1)))

    assert (Verdict.DENY, Reason.NO_RULE, "none") == (
        decision.verdict,
        decision.reason,
        decision.rule_id,
    )


FACTS = st.builds(
    Facts,
    country=st.sampled_from([*COUNTRIES[:-1], "DE"]),
    recipient=st.sampled_from(RecipientKind),
    channel=st.sampled_from(Channel),
    message_class=st.sampled_from(MessageClass),
    purpose=st.sampled_from(Purpose),
    relation=st.sampled_from(Relation),
    on=st.just(TODAY),
    state=st.none() | st.sampled_from(PermissionState),
    legal_basis=st.sampled_from(["consent", "existing_customer"]),
    suppressed_by=st.sampled_from([(), ("everything",)]),
    paused_until=st.none() | st.just(datetime(2027, 1, 1, tzinfo=UTC)),
    topic_refused=st.booleans(),
    wash=st.sampled_from(Wash),
)


@given(FACTS)
def test_no_advertising_after_a_no_a_suppression_a_pause_or_a_refused_topic(given_facts):
    decision = decide(given_facts)
    has_refused = (
        given_facts.state is PermissionState.WITHDRAWN
        or given_facts.suppressed_by
        or given_facts.paused_until
        or given_facts.topic_refused
    )

    if has_refused and given_facts.message_class in ADVERTISING:
        assert not decision.is_allowed
    if decision.need is Need.NOTHING:
        assert decision.is_allowed
    if decision.is_allowed and decision.need in (Need.CONSENT, Need.SOFT):
        assert PermissionState.GRANTED is given_facts.state
    if decision.need is Need.CONSENT and decision.is_allowed:
        assert "consent" == given_facts.legal_basis
    assert decision.words


def test_a_question_that_waits_is_no_yes_and_no_no():
    asked = facts("NO", PERSON, EMAIL, MARKETING, STRANGER, state=PermissionState.PENDING)
    letter = facts("NO", PERSON, LETTER, MARKETING, CUSTOMER, state=PermissionState.PENDING)

    assert Reason.NOT_CONFIRMED is decide(asked).reason
    assert Reason.NOT_REFUSED is decide(letter).reason
