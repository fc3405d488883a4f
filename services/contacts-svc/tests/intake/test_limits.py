"""Posts are counted in sliding windows, and what no longer counts is forgotten without a walk over everybody."""

import random

import pytest

from contacts_svc.intake.errors import TooManyLeads
from contacts_svc.intake.limits import LeadLimits

SEED = 20_261_123


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def test_a_window_slides_and_counts_what_it_took_and_not_what_it_refused():
    rng, hands = random.Random(SEED), Hands()
    limits = LeadLimits(per_ip="3/minute", per_address="1/hour", moment=hands)
    taken = {who: [] for who in "abc"}

    for _ in range(2_000):
        hands.now += rng.choice([0.0, 0.5, 7.0, 19.0, 61.0, 200.0])
        who = rng.choice("abc")
        counted = [moment for moment in taken[who] if moment > hands.now - 60]
        try:
            limits.count_visitor(who)
        except TooManyLeads:
            assert 3 == len(counted), f"seed {SEED}"
        else:
            assert 3 > len(counted), f"seed {SEED}"
            taken[who].append(hands.now)


def test_who_posts_no_more_is_forgotten_after_two_lengths():
    hands = Hands()
    limits = LeadLimits(per_ip="3/minute", per_address="1/hour", moment=hands)

    for number in range(1_000):
        limits.count_visitor(f"10.0.0.{number}")
    before = limits.remembered
    hands.now += 61
    limits.count_visitor("a")
    hands.now += 61
    limits.count_visitor("a")

    assert 1_000 == before
    assert 1 == limits.remembered


def test_a_post_that_could_not_be_kept_does_not_count():
    limits = LeadLimits(per_ip="2/minute", per_address="2/hour", moment=Hands())
    for _ in range(9):
        limits.count_visitor("a")
        limits.count_address("a@example.com")
        limits.take_visitor_back("a")
        limits.take_address_back("a@example.com")
    limits.take_visitor_back("a stranger")

    for _ in range(2):
        limits.count_visitor("a")
        limits.count_address("a@example.com")
    with pytest.raises(TooManyLeads):
        limits.count_visitor("a")
    with pytest.raises(TooManyLeads):
        limits.count_address("a@example.com")


def test_one_address_too_often_says_how_long_to_wait():
    limits = LeadLimits(per_ip="9/minute", per_address="1/hour", moment=Hands())
    limits.count_address("a@example.com")

    with pytest.raises(TooManyLeads) as refused:
        limits.count_address("a@example.com")

    assert "60" == refused.value.headers["Retry-After"]
    assert "1 per 1 hour" in refused.value.detail
