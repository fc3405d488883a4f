"""Ask before the launch what it would do, and show it to oneself."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.campaigns import events, queries
from campaign_svc.campaigns.errors import CellUnknown, NothingToShow
from campaign_svc.campaigns.judgement import Plan, Stock, judge
from campaign_svc.campaigns.model import Campaign, Cell, Preflight
from campaign_svc.campaigns.schemas import Reach, TestSendIn, TestSendOut, WhenShort
from campaign_svc.campaigns.usecases.waves import LaunchPlan, plan_of
from campaign_svc.products.queries import products_by_id
from campaign_svc.seeds.queries import list_seeds
from campaign_svc.senders.queries import find_own_sender
from campaign_svc.thresholds.queries import approval_from, get_limits
from kantis_contracts.campaign import TestMessage
from kantis_contracts.contacts import ReachCountedV1
from kantis_contracts.messaging import TemplateCheck, TemplateCheckedV1
from kantis_contracts.values import Channel, Language
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx


async def begin_preflight(tx: Tx, draft: Campaign) -> Preflight:
    """Ask the register whom the draft would reach, and the senders about its templates; the report comes with both."""
    plan = await plan_of(tx, draft)
    preflight = Preflight(
        id=new_id(),
        campaign_id=draft.id,
        campaign_version=draft.version,
        state="counting",
        # Without cells there is no template that anybody could be asked about.
        checks=None if plan.cells else {"items": []},
        requested_at=tx.clock.now(),
    )
    tx.add(preflight)
    tx.stage(
        events.preflight_requested(
            draft,
            preflight,
            plan.cells,
            has_offer=any(plan.cards.values()),
            has_products=bool(plan.products),
        )
    )
    return preflight


async def report_reach(tx: Tx, counted: ReachCountedV1) -> None:
    """Keep the register's answer; the first one counts, later ones change nothing."""
    preflight = await _lock_counting(tx, counted.preflight_id)
    if preflight is not None and preflight.reach is None:
        preflight.reach = counted.model_dump(mode="json")
        await _conclude(tx, preflight)


async def report_checks(tx: Tx, checked: TemplateCheckedV1) -> None:
    """Keep the senders' answer; the first one counts, later ones change nothing."""
    preflight = await _lock_counting(tx, checked.preflight_id)
    if preflight is not None and preflight.checks is None:
        preflight.checks = {"items": [one.model_dump(mode="json") for one in checked.items]}
        await _conclude(tx, preflight)


async def _lock_counting(tx: Tx, preflight_id: UUID) -> Preflight | None:
    rows = await tx.scalars(
        select(Preflight)
        .where(col(Preflight.id) == preflight_id, col(Preflight.state) == "counting")
        .with_for_update()
    )
    return rows.first()


async def _conclude(tx: Tx, preflight: Preflight) -> None:
    """Make the report, once both have answered."""
    if preflight.reach is None or preflight.checks is None:
        return
    counted = ReachCountedV1.model_validate(preflight.reach)
    checks = [TemplateCheck.model_validate(one) for one in preflight.checks["items"]]
    campaign = await queries.get_campaign(tx, preflight.campaign_id)
    now = tx.clock.now()
    verdict = judge(
        await _plan(tx, campaign),
        counted,
        checks,
        await find_own_sender(tx),
        now=now,
        limits=await get_limits(tx),
    )
    approved_from = await approval_from(tx)
    reach = [Reach(**one.model_dump()) for one in counted.items]
    preflight.report = {
        "segment_name": counted.segment_name,
        "members": counted.members,
        "missing_preferred_name": counted.missing_preferred_name,
        "doubtful_names": counted.doubtful_names,
        "likely_duplicates": counted.likely_duplicates,
        "mean_quality_score": counted.mean_quality_score,
        "low_quality_scores": counted.low_quality_scores,
        "tired": counted.tired,
        "debtors": counted.debtors,
        "languages": counted.languages,
        "washes": [one.model_dump(mode="json") for one in counted.washes],
        "exclusions": [one.model_dump(mode="json") for one in counted.exclusions],
        "reach": [one.model_dump(mode="json") for one in reach],
        "pieces": verdict.pieces,
        "by_channel": verdict.by_channel,
        "left_out": verdict.left_out,
        "cost_minor": verdict.cost_minor,
        "budget_minor": campaign.budget_minor,
        "expected_responses": verdict.expected_responses,
        "needs_approval": approved_from is not None and verdict.pieces > approved_from,
        "findings": [one.model_dump(mode="json") for one in verdict.findings],
    }
    preflight.verdict = verdict.verdict.value
    preflight.counted_at = now
    preflight.state = "counted"


async def _plan(tx: ReadTx, campaign: Campaign) -> Plan:
    plan = await plan_of(tx, campaign)
    products = await products_by_id(tx, [one for cell in plan.cells for one in cell.takes])
    return Plan(
        budget_minor=campaign.budget_minor,
        not_after=campaign.not_after,
        expected_response_pct=campaign.expected_response_pct,
        cells=plan.cells,
        stock={
            key: Stock(product.name, product.available, product.is_active)
            for key, product in products.items()
        },
        has_offer=any(plan.cards.values()),
        capacity=campaign.capacity,
        when_short=WhenShort(campaign.when_short),
        hold_out_pct=campaign.hold_out_pct,
        has_experiment=campaign.experiment is not None,
    )


async def send_test(tx: Tx, campaign_id: UUID, body: TestSendIn) -> TestSendOut:
    """Have a cell's mail sent to one of our own addresses.

    Raises:
        CampaignUnknown: there is no such campaign.
        CellUnknown: it has no such cell, or none at all.
        NothingToShow: the cell writes no mails.
    """
    campaign = await queries.get_campaign(tx, campaign_id)
    plan = await plan_of(tx, campaign)
    cell = next((one for one in plan.rows.values() if body.cell in (None, one.id)), None)
    if cell is None:
        raise CellUnknown(
            f"cell: the campaign has no cell {body.cell}" if body.cell else "Add a cell first"
        )
    (message,) = _tests(plan, [cell], [(body.to_email, body.preferred_name, body.language)])
    tx.stage(events.tests_requested([message]))
    return TestSendOut(id=message.test_id, cell_id=cell.id, to_email=body.to_email)


async def send_to_seeds(tx: Tx, campaign_id: UUID) -> list[TestSendOut]:
    """Have every cell's mail sent to every address of the seed list.

    Raises:
        CampaignUnknown: there is no such campaign.
        NothingToShow: there is no seed, no cell, or a cell writes no mails.
    """
    plan = await plan_of(tx, await queries.get_campaign(tx, campaign_id))
    seeds = [(one.email, one.preferred_name, one.language) for one in await list_seeds(tx)]
    messages = list(_tests(plan, list(plan.rows.values()), seeds))
    if not messages:
        raise NothingToShow("Add a cell, and addresses of your own under /v1/seeds")
    tx.stage(events.tests_requested(messages))
    return [
        TestSendOut(id=one.test_id, cell_id=one.cell_id, to_email=one.to_email) for one in messages
    ]


def _tests(
    plan: LaunchPlan, cells: list[Cell], readers: list[tuple[str, str, Language]]
) -> Iterator[TestMessage]:
    ways = {cell.cell_id: cell.ways for cell in plan.cells}
    for cell in cells:
        mail = next((way for way in ways[cell.id] if way.channel is Channel.EMAIL), None)
        if mail is None:
            raise NothingToShow(
                f"The cell {cell.name!r} writes no mails; look at it with the preview of its template"
            )
        for to_email, name, language in readers:
            yield events.test_message(
                new_id(),
                cell,
                mail,
                plan.cards[cell.id],
                to_email=to_email,
                language=language,
                preferred_name=name,
            )
