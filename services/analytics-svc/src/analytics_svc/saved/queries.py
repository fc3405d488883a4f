"""Saved reports, and their lines."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from analytics_svc.company.queries import REPORTS
from analytics_svc.saved.errors import SavedUnknown
from analytics_svc.saved.model import SavedReport
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


async def get_lines(tx: ReadTx, saved: SavedReport) -> tuple[Sequence[Out], type[Out]]:
    """Return the lines of a saved report as of today, and what kind they are."""
    report = REPORTS[saved.report]
    span = span_of(saved, tx.clock.now().date())
    only = (saved.currency or None,) if report.is_of_money else ()
    return await report.list_lines(tx, *span, *only), report.line
