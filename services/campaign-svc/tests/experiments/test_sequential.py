"""The test of two rates that may be looked at whenever one likes."""

import random
from math import exp, pi, sqrt

import pytest
from scipy.integrate import quad

from campaign_svc.experiments.sequential import (
    Tally,
    mixture_ratio,
    p_value,
    pairs,
    sample_size,
    winner_of,
)

RATE, TAU, ALPHA = 0.2, 0.04, 0.05


@pytest.mark.parametrize(
    ("rate", "other", "power", "published"),
    [
        # What R prints: n = 76.7 in the documentation of power.prop.test, 3840.8 for 10 % against 12 %.
        (0.50, 0.75, 0.90, 77),
        (0.10, 0.12, 0.80, 3_841),
    ],
)
def test_the_size_of_a_sample_is_the_published_one(rate, other, power, published):
    assert published == sample_size(rate, other, alpha=0.05, power=power)


@pytest.mark.parametrize(("difference", "variance"), [(0.0, 1e-4), (0.03, 1e-4), (0.1, 4e-4)])
def test_the_ratio_is_the_average_over_the_differences_that_may_be(difference, variance):
    def weighed(theta):
        likelihood = exp((difference * theta - theta**2 / 2) / variance)
        return likelihood * exp(-(theta**2) / (2 * TAU**2)) / (TAU * sqrt(2 * pi))

    averaged, _ = quad(weighed, -8 * TAU, 8 * TAU, points=[difference], limit=500)

    assert averaged == pytest.approx(mixture_ratio(difference, variance, TAU), rel=1e-6)


def _looked_at(rng, rates, *, steps=60, step=100):
    """Send step by step and look each time, as an impatient planner does; return the winner."""
    tallies = dict.fromkeys(range(len(rates)), Tally(0, 0))
    kept = dict.fromkeys(pairs(tallies), 1.0)
    naive = False
    for _ in range(steps):
        for cell, rate in enumerate(rates):
            more = sum(rng.random() < rate for _ in range(step))
            tallies[cell] = Tally(tallies[cell].sent + step, tallies[cell].successes + more)
        kept = {pair: min(p, p_value(*(tallies[c] for c in pair), TAU)) for pair, p in kept.items()}
        one, other = tallies[0], tallies[1]
        error = sqrt(one.variance + other.variance) or 1.0
        naive = naive or abs(one.rate - other.rate) / error > 1.96
        winner = winner_of(tallies, kept, ALPHA)
        if winner is not None:
            return winner, naive
    return None, naive


def test_looking_sixty_times_names_no_more_winners_in_error_than_was_allowed():
    rng = random.Random(20260301)
    runs = [_looked_at(rng, (RATE, RATE), steps=30) for _ in range(60)]

    wrong = sum(winner is not None for winner, _ in runs)
    naive = sum(was for _, was in runs)

    assert wrong <= 60 * ALPHA
    # What a test for one look would have said: several times too often.
    assert naive > 3 * 60 * ALPHA


def test_a_better_cell_wins_against_every_other_one():
    rng = random.Random(7)

    assert 2 == _looked_at(rng, (0.20, 0.21, 0.30))[0]


def test_too_little_says_nothing_and_one_cell_beats_nobody():
    few = {"a": Tally(100, 9), "b": Tally(100, 60)}

    assert 1.0 == p_value(few["a"], few["b"], TAU)
    assert winner_of({"a": few["b"]}, {}, ALPHA) is None
