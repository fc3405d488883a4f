"""Read short links and delivery reports."""

from uuid import UUID

from sqlalchemy import select

from kantis_kit.errors import NotFound
from kantis_kit.tx import ReadTx
from messaging_svc.links import LinkMaker, Unsubscribe
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.model import short_link, sms_report
from messaging_svc.sms.schemas import SmsReportOut
from messaging_svc.sms.texts import Slot
from messaging_svc.tracking.model import Mail


async def find_link(tx: ReadTx, token: str) -> tuple[UUID, int, Slot] | None:
    """Return which link of which message a token names, or None."""
    found = (await tx.execute(select(short_link).where(short_link.c.token == token))).first()
    return (found.message_id, found.slot, Slot(found.kind, found.target)) if found else None


def target_of(tx: ReadTx, slot: Slot, message: Mail) -> str | None:
    """Return where a link leads for the person that the message went to."""
    links = tx.use(LinkMaker)
    if slot.kind == "fixed":
        return slot.target
    if slot.kind == "response":
        code = message.response_code
        return links.response(code) if code else tx.settings(MessagingSettings).public_url
    if message.person_id is None:
        return None
    if slot.kind == "preferences":
        return links.preferences(message.person_id)
    if message.purpose is None:
        return None
    return links.unsubscribe(Unsubscribe(message.person_id, message.id, message.purpose))


async def get_report(tx: ReadTx, message_id: UUID) -> SmsReportOut:
    """Return what the provider has said of a message.

    Raises:
        NotFound: nothing yet.
    """
    row = (
        await tx.execute(select(sms_report).where(sms_report.c.message_id == message_id))
    ).first()
    if row is None:
        raise NotFound("No report on this message has come in")
    return SmsReportOut.model_validate(row, from_attributes=True)
