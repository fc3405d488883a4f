"""How often a rule acts about one person."""

from datetime import UTC, datetime, timedelta

import pytest

from campaign_svc.rules.policy import MOST_A_DAY, Past, Policy, decide
from campaign_svc.rules.schemas import Decision, ReEntry

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def decisions(policy, *moments):
    past = Past()
    return [decide(policy, past, at).value for at in moments]


@pytest.mark.parametrize(
    ("policy", "moments", "expected"),
    [
        (Policy(ReEntry.ONCE, DAY), [NOW, NOW + 900 * DAY], ["fired", "not_again"]),
        (
            Policy(ReEntry.ONCE_A_YEAR, timedelta()),
            [NOW, NOW + DAY, NOW + 365 * DAY],
            ["fired", "not_again", "fired"],
        ),
        (
            Policy(ReEntry.EVERY_ENTRY, 3 * DAY),
            [NOW, NOW + 2 * DAY, NOW + 3 * DAY],
            ["fired", "cooling_down", "fired"],
        ),
        (
            Policy(ReEntry.EVERY_ENTRY, timedelta(), NOW, NOW + DAY),
            [NOW - DAY, NOW, NOW + DAY],
            ["not_valid", "fired", "not_valid"],
        ),
    ],
    ids=["once", "once_a_year", "cool_down", "validity"],
)
def test_a_rule_acts_as_often_as_it_says(policy, moments, expected):
    assert expected == decisions(policy, *moments)


def test_a_rule_in_a_circle_that_nobody_foresaw_is_held():
    policy = Policy(ReEntry.EVERY_ENTRY, timedelta())

    found = decisions(policy, *(NOW + n * timedelta(minutes=1) for n in range(MOST_A_DAY + 2)))

    assert [Decision.FIRED] * MOST_A_DAY + [Decision.LIMITED] * 2 == found
