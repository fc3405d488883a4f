"""Saved reports, and their lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlmodel import col

from analytics_svc.campaigns import queries as campaigns
from analytics_svc.campaigns import table
from analytics_svc.campaigns.errors import ReportUnknown
from analytics_svc.company.queries import REPORTS
from analytics_svc.customers import queries as customers
from analytics_svc.customers.schemas import Line
from analytics_svc.facts.model import CampaignCard
from analytics_svc.funnels import queries as funnels
from analytics_svc.funnels.schemas import Funnel, FunnelLine
from analytics_svc.saved.errors import SavedUnknown
from analytics_svc.saved.model import SavedReport
from analytics_svc.saved.schemas import ReportName
from kantis_kit.tx import ReadTx
from kantis_kit.web.schemas import Out


async def list_saved(tx: ReadTx, after: UUID | None, limit: int) -> Sequence[SavedReport]:
    """Return saved reports in the order of their making."""
    wanted = select(SavedReport).order_by(col(SavedReport.id)).limit(limit)
    if after is not None:
        wanted = wanted.where(col(SavedReport.id) > after)
    return (await tx.scalars(wanted)).all()


async def get_saved(tx: ReadTx, saved_id: UUID) -> SavedReport:
    """Return a saved report. Raises `SavedUnknown`."""
    saved = await tx.get(SavedReport, saved_id)
    if saved is None:
        raise SavedUnknown(f"No report is saved as {saved_id}; GET /v1/reports/saved lists them")
    return saved


def span_of(saved: SavedReport, today: date) -> tuple[date, date]:
    """Return the first and the last day of a saved report that is read today."""
    return today - timedelta(days=saved.days - 1), today


@dataclass(frozen=True, slots=True)
class Made:
    """A saved report, made anew: its items, and the lines of a file of it with their kind."""

    items: Sequence[BaseModel]
    lines: Sequence[BaseModel]
    kind: type[BaseModel]


async def make(tx: ReadTx, saved: SavedReport, until: date) -> Made:
    """Return a saved report as of a day.

    Raises:
        ReportUnknown: the campaign that it is of, or that a step of its funnel names, is not there.
        CustomerUnknown: nothing is known of the person any more.
        FunnelTooBig: it took longer than the settings allow.
    """
    await check(tx, saved)
    span: tuple[date, date] = span_of(saved, until)
    match ReportName(saved.report):
        case ReportName.CAMPAIGN:
            report = await campaigns.get_report(tx, _known(saved.campaign_id))
            return Made(report.cells, table.lines_of(report), table.CellLine)
        case ReportName.CUSTOMER:
            customer = await customers.get_customer(tx, _known(saved.person_id))
            return _made(customers.lines_of(customer), Line)
        case ReportName.FUNNEL:
            funnel = Funnel.model_validate(saved.funnel)
            return _made(await funnels.count_funnel(tx, funnel, *span), FunnelLine)
        case name:
            one = REPORTS[name]
            only = (saved.currency or None,) if one.is_of_money else ()
            return _made(await one.list_lines(tx, *span, *only), one.line)


async def check(tx: ReadTx, saved: SavedReport) -> None:
    """Refuse a report of what is not there; see `make`."""
    if saved.person_id is not None:
        await customers.get_customer(tx, saved.person_id)
    wanted = {saved.campaign_id} - {None}
    if saved.funnel is not None:
        steps = Funnel.model_validate(saved.funnel).steps
        wanted |= {step.campaign_id for step in steps if step.campaign_id is not None}
    known = col(CampaignCard.campaign_id)
    found = set((await tx.scalars(select(known).where(known.in_(wanted)))).all())
    if gone := wanted - found:
        raise ReportUnknown(
            f"campaign_id: {', '.join(sorted(map(str, gone)))} is not a campaign that was launched, or is gone;"
            " GET /v1/reports/campaigns lists them"
        )


def _known(id_: UUID | None) -> UUID:
    if id_ is None:
        raise SavedUnknown("What this report was saved of is not said; delete it and save it anew")
    return id_


def _made(items: Sequence[Out], kind: type[Out]) -> Made:
    return Made(items, items, kind)
