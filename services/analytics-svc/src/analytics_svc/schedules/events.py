"""What leaves the service about reports that are due."""

from collections.abc import Iterable
from datetime import date, datetime
from hashlib import blake2b
from uuid import UUID

from analytics_svc.saved.model import ReportSchedule
from kantis_contracts.analytics import ReportMail, ReportMailRequestedV1
from kantis_contracts.values import Language


def mail_id(schedule_id: UUID, due_at: datetime, email: str) -> UUID:
    """Return the id of the one mail of a due date to an address."""
    name = f"{schedule_id}|{due_at.isoformat()}|{email.lower()}"
    of_name = blake2b(name.encode(), digest_size=9).hexdigest()
    return UUID(f"{schedule_id.hex[:12]}7{of_name[:3]}8{of_name[3:18]}")


def mails(
    schedule: ReportSchedule,
    due_at: datetime,
    *,
    name: str,
    span: tuple[date, date],
    path: str,
) -> Iterable[ReportMail]:
    """Return a mail for each recipient; without a path the report is gone."""
    for one in schedule.recipients:
        yield ReportMail(
            mail_id=mail_id(schedule.id, due_at, one["email"]),
            kind="report_ready" if path else "report_gone",
            to_email=one["email"],
            preferred_name=one["name"],
            language=Language(one["language"]),
            report_name=name,
            since=span[0],
            until=span[1],
            path=path,
        )


def requested(items: Iterable[ReportMail]) -> ReportMailRequestedV1:
    """Ask for the mails."""
    return ReportMailRequestedV1(items=tuple(items))
