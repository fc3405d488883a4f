"""Facts that analytics-svc publishes."""

from datetime import date
from uuid import UUID

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.privacy import DossierPart, ErasureReceipt
from kantis_contracts.values import Language


class AnalyticsErasureCompletedV1(Event, type="analytics.analytics_erasure.completed.v1"):
    """Analytics has forgotten persons."""

    items: tuple[ErasureReceipt, ...] = Items


class AnalyticsDossierAnsweredV1(Event, type="analytics.analytics_dossier.answered.v1"):
    """What analytics holds of persons who asked."""

    items: tuple[DossierPart, ...] = Items


class ReportMail(Item):
    """A saved report that is due, for one of our own addresses. One due date and address always has the same `mail_id`."""

    mail_id: UUID
    kind: str
    """`report_ready`, or `report_gone`: what the report is about is not there any more, and its schedule has paused."""
    to_email: str
    preferred_name: str = ""
    language: Language = Language.EN
    report_name: str
    since: date
    until: date
    path: str = ""
    """Path of the CSV under the public address, with a token that lives for some days; empty for what is gone."""


class ReportMailRequestedV1(Event, type="analytics.report_mail.requested.v1"):
    """Saved reports are due and are to be mailed to people of the company."""

    items: tuple[ReportMail, ...] = Items
