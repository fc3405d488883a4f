"""The law as tables: which step, from which day on, for how much. Every row here is what a debtor could hold against us."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from orders_svc.dunning.ladder import (
    House,
    NoLaw,
    Situation,
    Taken,
    fee_at,
    first_lawful_day,
    next_step,
    working_day,
)
from orders_svc.dunning.schemas import Step
from orders_svc.law.tables import (
    Debtor,
    Interest,
    fee_of,
    half_year,
    interest_minor,
    interest_of,
    ladder_of,
)

CURRENCY = {"NO": "NOK", "SE": "SEK", "DK": "DKK", "FI": "EUR"}
CONSUMER, BUSINESS = Debtor.CONSUMER, Debtor.BUSINESS
HOUSE = House(grace_days=0, fees_agreed=True)


def owed(country="NO", due_on=date(2026, 3, 16), debtor=CONSUMER, *taken, **given):
    return Situation(country, debtor, CURRENCY[country], due_on, tuple(taken), **given)


def walk(country, debtor=CONSUMER, due_on=date(2026, 3, 16), house=HOUSE):
    """Take step after step on the first day of each; return (step, days since the due date, fee, compensation)."""
    steps, taken, is_compensated = [], [], False
    while True:
        one = owed(country, due_on, debtor, *taken, has_compensation=is_compensated)
        try:
            proposal = next_step(one, house)
        except NoLaw:
            return steps
        is_compensated = is_compensated or bool(proposal.compensation_minor)
        days = (proposal.on - due_on).days
        steps.append((proposal.step.value, days, proposal.fee_minor, proposal.compensation_minor))
        pay_by = proposal.pay_by(proposal.on, country)
        taken.append(Taken(proposal.step, proposal.on, proposal.fee_minor, pay_by))


@pytest.mark.parametrize(
    ("country", "debtor", "expected"),
    [
        ("NO", CONSUMER, [("remind", 14, 3500, 0), ("warn", 29, 3500, 0), ("hand_over", 49, 0, 0)]),
        ("NO", BUSINESS, [("remind", 14, 0, 46_000), ("warn", 29, 0, 0), ("hand_over", 49, 0, 0)]),
        ("SE", CONSUMER, [("remind", 7, 6000, 0), ("warn", 22, 18_000, 0), ("hand_over", 36, 0, 0)]),
        ("SE", BUSINESS, [("remind", 7, 0, 45_000), ("warn", 22, 0, 0), ("hand_over", 36, 0, 0)]),
        (
            "DK",
            CONSUMER,
            [("remind", 7, 10_000, 0), ("remind", 23, 10_000, 0), ("warn", 36, 10_000, 0), ("hand_over", 50, 10_000, 0)],
        ),
        ("FI", CONSUMER, [("remind", 14, 500, 0), ("remind", 31, 500, 0), ("hand_over", 49, 0, 0)]),
    ],
)  # fmt: skip
def test_the_ladder_of_a_country_from_the_due_date_to_the_agency(country, debtor, expected):
    assert expected == walk(country, debtor)


@pytest.mark.parametrize(
    ("due_on", "minor"),
    [
        ((2016, 12, 31), 6700),
        ((2017, 1, 1), 7000),
        ((2020, 9, 30), 7000),
        ((2020, 10, 1), 3500),
        ((2025, 12, 31), 3500),
        ((2026, 1, 1), 3500),
    ],
)
def test_the_norwegian_fee_is_that_of_the_due_date_whenever_it_is_claimed(due_on, minor):
    assert minor == fee_at(owed(due_on=date(*due_on)), Step.REMIND, HOUSE)


def test_a_rate_that_nobody_has_verified_holds_only_where_that_is_asked_for():
    due_on = date(2026, 1, 1)

    assert 3500 == fee_of("NO", "reminder", due_on).minor
    assert 3750 == fee_of("NO", "reminder", due_on, unverified=True).minor
    assert None is fee_of("FI", "compensation", due_on)


def test_a_fee_needs_fourteen_days_in_norway_and_finland_and_an_agreement_in_sweden():
    due_on = date(2026, 3, 16)

    for country, days in (("NO", 14), ("FI", 14), ("SE", 1), ("DK", 1)):
        day, _ = first_lawful_day(owed(country), Step.REMIND, HOUSE, with_fee=True)
        assert due_on + timedelta(days=days) == day, country
    with pytest.raises(NoLaw, match="not agreed"):
        first_lawful_day(owed("SE"), Step.REMIND, House(), with_fee=True)
    assert ("remind", 7, 0, 0) == walk("SE", house=House())[0]


def test_no_more_steps_carry_a_fee_than_the_law_allows():
    day = date(2026, 4, 1)
    charged = [Taken(Step.REMIND, day, 3500), Taken(Step.REMIND, day, 3500)]

    with pytest.raises(NoLaw, match="at most 2 steps"):
        first_lawful_day(owed("NO", day, CONSUMER, *charged), Step.WARN, HOUSE, with_fee=True)


def test_a_hand_over_waits_for_the_warning_and_its_deadline():
    due_on, warned = date(2026, 3, 16), date(2026, 4, 15)
    pay_by = date(2026, 4, 29)
    one = owed("NO", due_on, CONSUMER, Taken(Step.WARN, warned, 3500, pay_by))

    with pytest.raises(NoLaw, match="warning before collection first"):
        first_lawful_day(owed(), Step.HAND_OVER, HOUSE, with_fee=False)
    assert (
        pay_by + timedelta(days=1)
        == first_lawful_day(one, Step.HAND_OVER, HOUSE, with_fee=False)[0]
    )


def test_the_warning_is_the_agencys_from_the_day_on_which_the_law_says_so():
    reminded = Taken(Step.REMIND, date(2026, 3, 30), 3500, date(2026, 4, 13))
    one = owed("NO", date(2026, 3, 16), CONSUMER, reminded)

    assert Step.WARN is next_step(one, HOUSE).step
    assert Step.WARN is next_step(one, House(warning_by_agency_from=date(2026, 3, 31))).step
    assert Step.HAND_OVER is next_step(one, House(warning_by_agency_from=date(2026, 3, 30))).step


def test_steps_and_deadlines_are_on_days_when_offices_are_open():
    # Maundy Thursday to Easter Monday of 2026 are holidays in Norway; in Sweden the Thursday is not.
    assert date(2026, 4, 7) == working_day(date(2026, 4, 2), "NO")
    assert date(2026, 4, 2) == working_day(date(2026, 4, 2), "SE")
    proposal = next_step(owed("NO", date(2026, 3, 20)), HOUSE)
    assert date(2026, 4, 7) == proposal.on
    assert date(2026, 4, 21) == proposal.pay_by(proposal.on, "NO")


def test_another_currency_bears_no_fee_and_another_country_has_no_ladder():
    in_euro = Situation("NO", CONSUMER, "EUR", date(2026, 3, 16))

    assert 0 == next_step(in_euro, HOUSE).fee_minor
    assert "it is in NOK" in next_step(in_euro, HOUSE).why
    with pytest.raises(NoLaw, match="no law is kept for IS"):
        next_step(Situation("IS", CONSUMER, "ISK", date(2026, 3, 16)), HOUSE)
    with pytest.raises(NoLaw, match="no agency is set"):
        next_step(
            owed("NO", date(2026, 3, 16), CONSUMER, Taken(Step.WARN, date(2026, 4, 15))),
            House(has_agency=False),
        )


@pytest.mark.parametrize("country", list(CURRENCY))
@pytest.mark.parametrize("debtor", list(Debtor))
def test_every_country_has_a_ladder_that_ends_at_the_agency(country, debtor):
    ladder = ladder_of(country, debtor, date(2026, 1, 1))

    assert "hand_over" == ladder.rungs[-1].step
    assert all(rung.wait >= rung.days for rung in ladder.rungs)
    assert {"fee", "interest", "principal"} == set(ladder.allocation)


def test_interest_runs_by_day_over_the_running_balance_and_changing_rates():
    rates = interest_of("NO", CONSUMER)
    start, owed_minor = date(2022, 12, 31), 100_000

    assert 25 == interest_minor([(start, owed_minor)], start, rates)  # 9.25 %
    assert 54 == interest_minor([(start, owed_minor)], date(2023, 1, 1), rates)  # and 10.75 %
    halved = [(start, owed_minor), (date(2023, 1, 1), owed_minor // 2)]
    assert 40 == interest_minor(halved, date(2023, 1, 1), rates)
    assert 0 == interest_minor([(date(2023, 1, 2), owed_minor)], date(2023, 1, 1), rates)


def test_a_half_year_without_a_rate_bears_nothing():
    gap = [Interest(date(2024, 1, 1), date(2024, 6, 30), Decimal("12.5"))]

    spring = interest_minor([(date(2024, 6, 30), 365_000)], date(2024, 6, 30), gap)
    assert spring == interest_minor([(date(2024, 6, 30), 365_000)], date(2026, 1, 1), gap) == 125
    assert (date(2024, 7, 1), date(2024, 12, 31)) == half_year(date(2024, 9, 9))


@pytest.mark.parametrize("country", list(CURRENCY))
def test_rates_of_a_country_never_overlap(country):
    for debtor in Debtor:
        rows = sorted(interest_of(country, debtor), key=lambda one: one.first)
        assert all(one.last < other.first for one, other in pairwise(rows))
        assert all(half_year(one.first)[0] == one.first for one in rows)
