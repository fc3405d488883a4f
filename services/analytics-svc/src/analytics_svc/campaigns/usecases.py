"""Share a report, and make its numbers anew."""

from datetime import timedelta
from uuid import UUID

from analytics_svc.campaigns import queries
from analytics_svc.campaigns.schemas import LinkOut, RebuildOut
from analytics_svc.facts import usecases as facts
from analytics_svc.settings import AnalyticsSettings
from kantis_kit.auth.links import LinkSigner
from kantis_kit.tx import ReadTx, Tx

PURPOSE = "report"
_ID_BYTES = 16


async def share_report(tx: Tx, campaign_id: UUID) -> LinkOut:
    """Return a link that shows the report to whoever has it, for some days. Raises `ReportUnknown`."""
    await queries.get_report(tx, campaign_id)
    days = tx.settings(AnalyticsSettings).shared_report_days
    expires_at = tx.clock.now() + timedelta(days=days)
    token = tx.use(LinkSigner).make(PURPOSE, campaign_id.bytes, expires_at=expires_at)
    tx.audit("report.share", str(campaign_id), expires_at=expires_at.isoformat())
    return LinkOut(path=f"/v1/reports/shared/{token}", expires_at=expires_at)


def read_link(tx: ReadTx, token: str) -> UUID | None:
    """Return the campaign of a shared link, or None when it is forged or over."""
    payload = tx.use(LinkSigner).read(PURPOSE, token, now=tx.clock.now())
    return UUID(bytes=payload) if payload is not None and len(payload) == _ID_BYTES else None


async def rebuild_reports(tx: Tx) -> RebuildOut:
    """Make every roll-up anew from the facts."""
    return RebuildOut(mended=await facts.rebuild(tx))
