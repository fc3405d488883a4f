"""Schedule saved reports, pause them, and ask for their mails when they are due.

A due date is claimed by moving `next_due_at` on, in the transaction that asks for its mails: a crash does both or neither.
What was due while nothing ran is made good by one mail, not by many.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from analytics_svc.saved import queries as saved_reports
from analytics_svc.saved.model import ReportSchedule, SavedReport
from analytics_svc.schedules import events, queries
from analytics_svc.schedules.dates import next_due
from analytics_svc.schedules.errors import ScheduleUnknown, TooManySchedules
from analytics_svc.schedules.schemas import ScheduleIn, ScheduleOut
from analytics_svc.settings import AnalyticsSettings
from kantis_contracts.analytics import ReportMail
from kantis_kit.auth.links import LinkSigner
from kantis_kit.errors import NotFound
from kantis_kit.ids import new_id
from kantis_kit.timers import Timer
from kantis_kit.tx import ReadTx, Tx

TIMER = "report.mail"
PURPOSE = "report-file"
MOST = 20
_ID_BYTES, _DAY_BYTES = 16, 4


async def add_schedule(tx: Tx, saved_id: UUID, wanted: ScheduleIn) -> ScheduleOut:
    """Mail a saved report from its next due date on.

    Raises:
        SavedUnknown: no report is saved under this id.
        TooManySchedules: it has twenty already.
    """
    saved = await saved_reports.get_saved(tx, saved_id)
    if await queries.count_schedules(tx, saved_id) >= MOST:
        raise TooManySchedules(
            f"It has {MOST} already; delete one, or add to the recipients of another"
        )
    schedule = ReportSchedule(
        **wanted.model_dump(mode="json"),
        id=new_id(),
        saved_id=saved_id,
        next_due_at=tx.clock.now(),
        created_at=tx.clock.now(),
    )
    schedule.next_due_at = next_due(schedule, tx.clock.now())
    tx.add(schedule)
    await _set(tx, schedule)
    tx.audit("report.schedule", str(schedule.id), report=saved.name)
    return queries.shown(schedule, saved.name)


async def pause(tx: Tx, schedule_id: UUID) -> ScheduleOut:
    """Mail nothing until it is resumed; once more is the same. Raises `ScheduleUnknown`."""
    schedule, saved = await queries.get_schedule(tx, schedule_id)
    schedule.is_paused = True
    await tx.cancel(TIMER, [str(schedule_id)])
    tx.audit("report.pause", str(schedule_id), report=saved.name)
    return queries.shown(schedule, saved.name)


async def resume(tx: Tx, schedule_id: UUID) -> ScheduleOut:
    """Mail it again, from the next due date on; what was due meanwhile is not made good.

    Raises:
        ScheduleUnknown: there is none of this id.
        ReportUnknown, CustomerUnknown: what its report is about is gone.
    """
    schedule, saved = await queries.get_schedule(tx, schedule_id)
    await saved_reports.check(tx, saved)
    if schedule.is_paused:
        schedule.is_paused, schedule.problem = False, ""
        schedule.next_due_at = next_due(schedule, tx.clock.now())
        await _set(tx, schedule)
        tx.audit("report.resume", str(schedule_id), report=saved.name)
    return queries.shown(schedule, saved.name)


async def delete_schedule(tx: Tx, schedule_id: UUID) -> None:
    """Forget a schedule. Raises `ScheduleUnknown`."""
    schedule, saved = await queries.get_schedule(tx, schedule_id)
    await tx.cancel(TIMER, [str(schedule_id)])
    tx.audit("report.unschedule", str(schedule_id), report=saved.name)
    await tx.delete(schedule)


async def mail_due(tx: Tx, timers: Sequence[Timer]) -> None:
    """Claim the due dates of these schedules, and ask for their mails; those that are paused or gone are none."""
    mails: list[ReportMail] = []
    for schedule_id in sorted(UUID(timer.key) for timer in timers):
        try:
            schedule, saved = await queries.get_schedule(tx, schedule_id)
        except ScheduleUnknown:
            continue
        if schedule.is_paused:
            continue
        if schedule.next_due_at <= tx.clock.now():
            mails.extend(await _claim(tx, schedule, saved))
        if not schedule.is_paused:
            await _set(tx, schedule)
    tx.stage(events.requested(mails))


async def _claim(tx: Tx, schedule: ReportSchedule, saved: SavedReport) -> Sequence[ReportMail]:
    due_at = schedule.next_due_at
    schedule.last_due_at, schedule.next_due_at = due_at, next_due(schedule, tx.clock.now())
    span = saved_reports.span_of(saved, due_at.date())
    path = _link(tx, saved.id, span[1])
    try:
        await saved_reports.check(tx, saved)
    except NotFound as gone:
        # Said once, not on every due date: somebody resumes it when its report can be made again.
        schedule.is_paused, schedule.problem, path = True, gone.detail, ""
    return tuple(events.mails(schedule, due_at, name=saved.name, span=span, path=path))


async def _set(tx: Tx, schedule: ReportSchedule) -> None:
    await tx.schedule(TIMER, str(schedule.id), schedule.next_due_at)


def _link(tx: ReadTx, saved_id: UUID, until: date) -> str:
    days = tx.settings(AnalyticsSettings).shared_report_days
    payload = saved_id.bytes + until.toordinal().to_bytes(_DAY_BYTES, "big")
    expires_at: datetime = tx.clock.now() + timedelta(days=days)
    token = tx.use(LinkSigner).make(PURPOSE, payload, expires_at=expires_at)
    return f"/v1/reports/shared/files/{token}"


def read_link(tx: ReadTx, token: str) -> tuple[UUID, date] | None:
    """Return the saved report and the last day of a link, or None when it is forged or over."""
    payload = tx.use(LinkSigner).read(PURPOSE, token, now=tx.clock.now())
    if payload is None or len(payload) != _ID_BYTES + _DAY_BYTES:
        return None
    day = date.fromordinal(int.from_bytes(payload[_ID_BYTES:], "big"))
    return UUID(bytes=payload[:_ID_BYTES]), day
