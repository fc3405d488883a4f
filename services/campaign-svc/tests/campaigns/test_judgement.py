"""The verdict of a pre-flight."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from campaign_svc.campaigns.judgement import Plan, Stock, judge
from campaign_svc.campaigns.routing import CellPlan, Way
from campaign_svc.campaigns.schemas import Level, WhenShort
from kantis_contracts.contacts import ChannelReach, Exclusion, ReachCountedV1
from kantis_contracts.messaging import TemplateCheck, TemplateFinding
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


ALL = CellPlan(UUID(int=1), 100, (Way(Channel.EMAIL, UUID(int=9), 50),), (LAMP,))
MIXED = (GOOD.cells[0], replace(GOOD.cells[1], ways=(Way(Channel.SMS, UUID(int=9), 60),)))
BOX = UUID(int=8)
BOXED = replace(
    GOOD,
    cells=tuple(replace(cell, takes=(LAMP, BOX)) for cell in GOOD.cells),
    stock={LAMP: Stock("Lampe", 20, is_active=True), BOX: Stock("Eske", 19, is_active=False)},
)
UNWASHED = ChannelReach(channel=Channel.EMAIL, reachable=1000, excluded={"wash_missing": 151})


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
        (GOOD, counted(reachable=149), "unreachable", Level.YELLOW, 1351),
        (GOOD, counted(reachable=150), "unreachable", Level.GREEN, 1350),
        (GOOD, counted(items=(UNWASHED,)), "wash_old", Level.YELLOW, 151),
        (GOOD, counted(doubtful_names=76), "doubtful_names", Level.YELLOW, 76),
        (GOOD, counted(low_quality_scores=451), "poor_data", Level.YELLOW, 451),
        (GOOD, counted(tired=301), "tired", Level.YELLOW, 301),
        (GOOD, counted(debtors=1), "debtors", Level.YELLOW, 1),
        (GOOD, counted(consents=900, without_text=151), "without_text", Level.YELLOW, 151),
        (replace(GOOD, capacity=999), counted(), "over_capacity", Level.RED, 1),
        (replace(GOOD, has_offer=False), counted(), "no_offer", Level.GREEN, 0),
        (replace(GOOD, cells=(ALL,), has_experiment=True), counted(), "experiment_of_one", Level.RED, 0),
        (replace(GOOD, cells=MIXED, has_experiment=True), counted(), "experiment_channels_differ", Level.RED, 0),
        (BOXED, counted(), "packaging_short", Level.YELLOW, 1),
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


def test_a_language_that_many_read_and_a_template_does_not_speak_asks_for_a_signature():
    missing = TemplateFinding(
        code="language-missing", severity="warning", language="sv", message="no Swedish", mend="write it"
    )  # fmt: skip
    check = TemplateCheck(
        cell_id=ALL.cell_id, channel="email", template_id=UUID(int=9), findings=(missing,)
    )

    few, many = (
        judge(GOOD, counted(languages={"sv": readers}), now=NOW, checks=[check])
        for readers in (300, 301)
    )

    for verdict, level, readers in ((few, Level.GREEN, 300), (many, Level.YELLOW, 301)):
        (finding,) = [one for one in verdict.findings if one.code == "language_missing"]
        assert (level, readers) == (finding.level, finding.count)


def test_who_is_left_out_is_counted_with_the_reason_and_debtors_are_named_once():
    out = (
        Exclusion(reason="debtor", people=12),
        Exclusion(reason="segment", segment_id=UUID(int=4), people=30),
    )

    findings = {one.code: one for one in judged(reach=counted(debtors=12, exclusions=out)).findings}

    assert [12, 30] == [findings[f"without_{reason}"].count for reason in ("debtor", "segment")]
    assert str(UUID(int=4)) in findings["without_segment"].text
    assert "debtors" not in findings


def test_what_is_rationed_by_value_is_no_fault_and_says_how_many_get_nothing():
    short = replace(GOOD, budget_minor=27_000, when_short=WhenShort.BY_VALUE)

    verdict = judged(short)

    (finding,) = [one for one in verdict.findings if one.code == "left_out_budget"]
    assert (Level.GREEN, 500) == (finding.level, finding.count)
    assert Level.GREEN == verdict.verdict
