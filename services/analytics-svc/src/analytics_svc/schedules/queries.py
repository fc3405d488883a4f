"""Schedules of saved reports."""

from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from analytics_svc.saved.model import ReportSchedule, SavedReport
from analytics_svc.schedules.errors import ScheduleUnknown
from analytics_svc.schedules.schemas import ScheduleOut
from kantis_kit.tx import ReadTx


def shown(schedule: ReportSchedule, report_name: str) -> ScheduleOut:
    """Return a schedule as it is shown."""
    values = schedule.model_dump() | {"report_name": report_name}
    if schedule.is_paused:
        values["next_due_at"] = None
    return ScheduleOut.model_validate(values)


async def list_schedules(
    tx: ReadTx, saved_id: UUID | None, after: UUID | None, limit: int
) -> list[ScheduleOut]:
    """Return schedules in the order of their making."""
    wanted = (
        select(ReportSchedule, col(SavedReport.name))
        .join(SavedReport, col(SavedReport.id) == col(ReportSchedule.saved_id))
        .order_by(col(ReportSchedule.id))
        .limit(limit)
    )
    if saved_id is not None:
        wanted = wanted.where(col(ReportSchedule.saved_id) == saved_id)
    if after is not None:
        wanted = wanted.where(col(ReportSchedule.id) > after)
    return [shown(row.ReportSchedule, row.name) for row in await tx.execute(wanted)]


async def get_schedule(tx: ReadTx, schedule_id: UUID) -> tuple[ReportSchedule, SavedReport]:
    """Return a schedule and its report; in a transaction that writes, nobody else has it. Raises `ScheduleUnknown`."""
    found = (
        await tx.execute(
            select(ReportSchedule, SavedReport)
            .join(SavedReport, col(SavedReport.id) == col(ReportSchedule.saved_id))
            .where(col(ReportSchedule.id) == schedule_id)
            .with_for_update(of=ReportSchedule)
        )
    ).first()
    if found is None:
        raise ScheduleUnknown(
            f"No schedule has the id {schedule_id}; GET /v1/reports/schedules lists them"
        )
    return found.ReportSchedule, found.SavedReport


async def count_schedules(tx: ReadTx, saved_id: UUID) -> int:
    """Return how many schedules a report has."""
    wanted = select(func.count()).where(col(ReportSchedule.saved_id) == saved_id)
    return int(await tx.scalar(wanted))
