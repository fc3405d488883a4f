"""The verdict of a pre-flight."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from campaign_svc.campaigns.judgement import Plan, Stock, judge
from campaign_svc.campaigns.routing import CellPlan, Way
from campaign_svc.campaigns.schemas import Level
from kantis_contracts.contacts import ChannelReach, ReachCountedV1
from kantis_contracts.values import Channel

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
LAMP = UUID(int=7)
GOOD = Plan(
    budget_minor=60_000,
    not_after=None,
    expected_response_pct=Decimal(2),
    cells=tuple(
        CellPlan(UUID(int=share), share, (Way(Channel.EMAIL, UUID(int=9), cost),), (LAMP,))
        for share, cost in ((60, 50), (40, 60))
    ),
    stock={LAMP: Stock("Lampe", 20, is_active=True)},
    has_offer=True,
)


def counted(reachable=1000, **changes):
    whole = {
        "preflight_id": UUID(int=1), "campaign_id": UUID(int=2), "segment_id": UUID(int=3), "members": 1500,
        "items": (ChannelReach(channel=Channel.EMAIL, reachable=reachable),),
    }  # fmt: skip
    return ReachCountedV1(**{**whole, **changes})


def judged(plan=GOOD, reach=None):
    return judge(plan, reach or counted(), now=NOW)


def test_a_sound_plan_is_green_with_its_cost_and_expected_answers():
    verdict = judged()

    assert Level.GREEN == verdict.verdict
    assert (54_000, 20) == (verdict.cost_minor, verdict.expected_responses)


@pytest.mark.parametrize(
    ("plan", "reach", "code", "level", "count"),
    [
        (GOOD, counted(is_known=False), "unknown_segment", Level.RED, 0),
        (GOOD, counted(reachable=0), "empty_audience", Level.RED, 1500),
        (GOOD, counted(missing_preferred_name=751), "missing_preferred_name", Level.YELLOW, 751),
        (GOOD, counted(missing_preferred_name=750), "missing_preferred_name", Level.GREEN, 750),
        (GOOD, counted(likely_duplicates=16), "likely_duplicates", Level.YELLOW, 16),
        (replace(GOOD, budget_minor=53_999), counted(), "over_budget", Level.RED, 1),
        (replace(GOOD, cells=GOOD.cells[:1]), counted(), "shares_not_100", Level.RED, 60),
        (replace(GOOD, not_after=NOW), counted(), "campaign_over", Level.RED, 0),
        (replace(GOOD, stock={}), counted(), "product_inactive", Level.RED, 0),
        (
            replace(GOOD, stock={LAMP: Stock("Lampe", 19, is_active=True)}),
            counted(), "stock_short", Level.YELLOW, 1,
        ),
    ],
)  # fmt: skip
def test_each_finding_has_its_level_and_the_worst_is_the_verdict(plan, reach, code, level, count):
    verdict = judged(plan, reach)

    (finding,) = [one for one in verdict.findings if one.code == code]
    assert (level, count) == (finding.level, finding.count)
    assert list(Level).index(verdict.verdict) >= list(Level).index(level)
    assert finding.level == verdict.verdict or level == Level.GREEN


def test_the_worst_finding_stands_first():
    verdict = judged(replace(GOOD, budget_minor=1), counted(likely_duplicates=100))

    assert ["over_budget", "likely_duplicates"] == [one.code for one in verdict.findings[:2]]
