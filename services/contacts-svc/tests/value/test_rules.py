"""How value and lifecycle follow from orders: rules without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contacts_svc.value.rules import CLASSES, TIERS, Bought, Rules, judge
from kantis_contracts.contacts import Lifecycle

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WHO = UUID(int=1)


def bought(days, orders=1, **spent):
    at = NOW - timedelta(days=days)
    return Bought(WHO, orders, at, at, spent or {"NOK": 100})


@pytest.mark.parametrize(
    ("days", "points", "lifecycle"),
    [
        (0, 5, Lifecycle.NEW),
        (29, 5, Lifecycle.NEW),
        (30, 4, Lifecycle.NEW),
        (90, 3, Lifecycle.ACTIVE),
        (180, 2, Lifecycle.PASSIVATING),
        (364, 2, Lifecycle.PASSIVATING),
        (365, 1, Lifecycle.LAPSED),
        (4_000, 1, Lifecycle.LAPSED),
    ],
)
def test_recency_and_lifecycle_fall_with_the_age_of_the_last_order(days, points, lifecycle):
    value = judge(Rules(), bought(days), NOW)

    assert (points, lifecycle) == (value.recency, value.lifecycle)


def test_a_second_order_makes_the_new_active():
    assert Lifecycle.ACTIVE is judge(Rules(), bought(1, orders=2), NOW).lifecycle


def test_sums_of_several_currencies_are_never_added_and_the_best_one_counts():
    value = judge(Rules(), bought(1, 3, SEK=49_900, NOK=49_900, EUR=20_000), NOW)

    assert (3, "EUR", 20_000) == (value.monetary, value.currency, value.spent_minor)


def test_a_currency_without_bands_of_its_own_has_those_of_all_others():
    assert 5 == judge(Rules(), bought(1, 1, GBP=150_000), NOW).monetary


@pytest.mark.parametrize(
    ("args", "name", "tier"),
    [
        ((1, 12, 2_000_000), "champion", "A"),
        ((40, 6, 60_000), "loyal", "B"),
        ((40, 2, 600_000), "big_spender", "B"),
        ((40, 2, 60_000), "promising", "C"),
        ((1, 1, 100), "new", "C"),
        ((100, 2, 60_000), "regular", "C"),
        ((100, 1, 100), "one_time", "D"),
        ((200, 4, 100), "at_risk", "D"),
        ((200, 1, 100), "sleeping", "D"),
        ((500, 12, 2_000_000), "lost", "B"),
    ],
)
def test_each_class_has_somebody_in_it(args, name, tier):
    days, orders, spent = args
    value = judge(Rules(), bought(days, orders, NOK=spent), NOW)

    assert (name, tier) == (value.rfm_class, value.tier)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"recency_days": [30, 30, 180, 365]}, "recency_days"),
        ({"recency_days": [30, 90, 180]}, "4 items"),
        ({"frequency_orders": [5, 3, 2, 1]}, "frequency_orders"),
        ({"monetary_minor": {"NOK": [1, 2, 3, 4]}}, "give * too"),
        ({"monetary_minor": {"*": [4, 3, 2, 1]}}, "monetary_minor.*"),
        ({"monetary_minor": {"kroner": [1, 2, 3, 4]}}, "kroner"),
        ({"tiers": {"a": 9, "b": 9, "c": 3}}, "more points"),
        ({"lifecycle": {"active_days": 400}}, "lapsed_days"),
    ],
)
def test_bands_that_make_no_sense_are_refused_with_the_place(body, said):
    with pytest.raises(ValidationError) as refusal:
        Rules.model_validate(body)

    assert said in str(refusal.value)


@given(
    days=st.integers(0, 5_000),
    orders=st.integers(1, 50),
    spent=st.dictionaries(
        st.sampled_from(["NOK", "EUR", "ISK", "GBP"]), st.integers(0, 10**9), min_size=1
    ),
    ahead=st.integers(1, 400),
)
def test_nothing_changes_before_the_moment_that_is_announced(days, orders, spent, ahead):
    person = bought(days, orders, **spent)
    now = judge(Rules(), person, NOW)
    later = NOW + timedelta(days=ahead)

    assert now.rfm_class in CLASSES
    assert now.tier in TIERS
    if now.next_at is None or later < now.next_at:
        then = judge(Rules(), person, later)
        assert (now.recency, now.tier, now.rfm_class, now.lifecycle) == (
            then.recency,
            then.tier,
            then.rfm_class,
            then.lifecycle,
        )
