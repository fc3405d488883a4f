"""Reports: roll-ups, read and put in rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select
from sqlmodel import col

from analytics_svc.campaigns.errors import ReportUnknown
from analytics_svc.campaigns.schemas import (
    CampaignReport,
    CampaignSummary,
    CellReport,
    DayReport,
    LeadsReport,
    Numbers,
    Rate,
)
from analytics_svc.campaigns.statistics import wilson
from analytics_svc.facts.model import LABELLED, NO_CELL, CampaignCard, CellCard, Tally, house_tally
from kantis_kit.tx import ReadTx

NumbersT = TypeVar("NumbersT", bound=Numbers)
_VALUE = cast(func.sum(col(Tally.value)), BigInteger).label("value")


def rate(hits: int, tries: int) -> Rate | None:
    """Return a rate with its interval; answers of people whose piece is not known as delivered count as tries."""
    tries = max(hits, tries)
    interval = wilson(hits, tries)
    if interval is None:
        return None
    return Rate(hits=hits, tries=tries, value=interval.value, low=interval.low, high=interval.high)


def _filled(numbers: NumbersT, values: Mapping[str, int]) -> NumbersT:
    answers: dict[str, dict[str, int]] = defaultdict(dict)
    for name, value in sorted(values.items()):
        _, is_labelled, label = name.partition(LABELLED)
        if not is_labelled:
            setattr(numbers, name, value)
        elif value:
            kind, _, way = label.partition("/")
            answers[kind][way] = value
    numbers.answers = dict(answers)
    numbers.profit_minor = numbers.paid_minor - numbers.cost_minor
    numbers.response_rate = rate(numbers.responded_persons, numbers.delivered)
    numbers.click_rate = rate(numbers.clicked_persons, numbers.delivered)
    return numbers


async def list_reports(tx: ReadTx, after: UUID | None, limit: int) -> list[CampaignSummary]:
    """Return what campaigns came to, the newest first."""
    wanted = select(CampaignCard).order_by(col(CampaignCard.campaign_id).desc()).limit(limit)
    if after is not None:
        wanted = wanted.where(col(CampaignCard.campaign_id) < after)
    cards: Sequence[CampaignCard] = (await tx.scalars(wanted)).all()
    rows = await tx.execute(
        select(col(Tally.campaign_id), col(Tally.measure), col(Tally.currency), _VALUE)
        .where(col(Tally.campaign_id).in_([card.campaign_id for card in cards]))
        .group_by(col(Tally.campaign_id), col(Tally.measure), col(Tally.currency))
    )
    values: dict[UUID, dict[str, int]] = defaultdict(dict)
    currencies = {card.campaign_id: card.currency for card in cards}
    for row in rows:
        if row.currency in ("", currencies[row.campaign_id]):
            values[row.campaign_id][row.measure] = row.value
    return [
        _filled(CampaignSummary.model_validate(card), values[card.campaign_id]) for card in cards
    ]


async def get_report(tx: ReadTx, campaign_id: UUID) -> CampaignReport:
    """Return a campaign's report. Raises `ReportUnknown`."""
    card = await tx.get(CampaignCard, campaign_id)
    if card is None:
        raise ReportUnknown(f"No campaign {campaign_id} has been launched")
    rows = (
        await tx.execute(
            select(
                col(Tally.cell_id),
                col(Tally.day),
                col(Tally.measure),
                col(Tally.currency),
                col(Tally.value),
            ).where(col(Tally.campaign_id) == campaign_id)
        )
    ).all()
    cells: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    days: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    other: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    whole: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.currency not in ("", card.currency):
            other[row.currency][row.measure] += row.value
            continue
        cells[row.cell_id][row.measure] += row.value
        whole[row.measure] += row.value
        if row.measure in DayReport.model_fields and row.value:
            days[row.day][row.measure] += row.value
    return CampaignReport(
        campaign_id=card.campaign_id,
        name=card.name,
        channel=card.channel,
        currency=card.currency,
        offer_name=card.offer_name,
        launched_at=card.launched_at,
        cells=await _cells(tx, campaign_id, cells),
        days=[DayReport(day=day, **values) for day, values in sorted(days.items())],
        total=_filled(Numbers(), whole),
        other_currencies={name: dict(values) for name, values in sorted(other.items())},
    )


async def _cells(
    tx: ReadTx, campaign_id: UUID, values: Mapping[UUID, Mapping[str, int]]
) -> list[CellReport]:
    wanted = select(CellCard).where(col(CellCard.campaign_id) == campaign_id)
    cards: Sequence[Any] = (await tx.scalars(wanted.order_by(col(CellCard.key_code)))).all()
    reports = [
        _filled(
            CellReport(cell_id=card.cell_id, name=card.name, key_code=card.key_code),
            values.get(card.cell_id, {}),
        )
        for card in cards
    ]
    if any(values.get(NO_CELL, {}).values()):
        reports.append(_filled(CellReport(cell_id=None, name="", key_code=""), values[NO_CELL]))
    return reports


async def list_leads(tx: ReadTx, since: date, until: date) -> list[LeadsReport]:
    """Return the leads per form and day, from the first to the last day."""
    label, day = house_tally.c.label, house_tally.c.day
    rows = await tx.execute(
        select(label.label("form_key"), day, house_tally.c.value.label("leads"))
        .where(
            house_tally.c.measure == "leads", day.between(since, until), house_tally.c.value != 0
        )
        .order_by(day, label)
    )
    return [LeadsReport.model_validate(row) for row in rows]
