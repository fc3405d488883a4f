"""Saved reports, and their lines."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from analytics_svc.company import queries, schemas
from analytics_svc.saved.errors import SavedUnknown
from analytics_svc.saved.model import SavedReport
from analytics_svc.saved.schemas import ReportName
from kantis_kit.tx import ReadTx
from kantis_kit.web.schemas import Out

OF_MONEY: Mapping[ReportName, tuple[Callable[..., Awaitable[Sequence[Out]]], type[Out]]] = {
    ReportName.COHORTS: (queries.list_cohorts, schemas.CohortMonth),
    ReportName.REPEAT_PURCHASES: (queries.list_repeat_purchases, schemas.RepeatPurchase),
}
_OTHERS: Mapping[ReportName, tuple[Callable[..., Awaitable[Sequence[Out]]], type[Out]]] = {
    ReportName.LISTS: (queries.list_growth, schemas.ListMonth),
    ReportName.LEAD_MONTHS: (queries.list_lead_months, schemas.LeadMonth),
    ReportName.SATISFACTION: (queries.list_satisfaction, schemas.Satisfaction),
    ReportName.SERVICE_LEVELS: (queries.list_service_levels, schemas.ServiceLevel),
    ReportName.RETURNED_POST: (queries.list_returned_post, schemas.ReturnedPost),
    ReportName.LOST_POST: (queries.list_lost_post, schemas.LostPost),
}


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


async def get_lines(tx: ReadTx, saved: SavedReport) -> tuple[Sequence[Out], type[Out]]:
    """Return the lines of a saved report as of today, and what kind they are."""
    span: tuple[Any, ...] = span_of(saved, tx.clock.now().date())
    name = ReportName(saved.report)
    if name in OF_MONEY:
        query, kind = OF_MONEY[name]
        return await query(tx, *span, saved.currency or None), kind
    query, kind = _OTHERS[name]
    return await query(tx, *span), kind
