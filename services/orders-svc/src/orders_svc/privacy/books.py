"""Let a bookkeeper look at what is kept of the forgotten, and write down who did."""

from uuid import UUID

from kantis_kit.tx import Tx
from orders_svc.privacy import queries
from orders_svc.privacy.schemas import RestrictedRecipientOut


async def look_up_recipient(tx: Tx, invoice_id: UUID, *, reason: str) -> RestrictedRecipientOut:
    """Tell to whom an invoice of a forgotten person was made out. Raises `NothingRestricted`."""
    found = await queries.get_restricted(tx, invoice_id)
    tx.audit("books.look", str(invoice_id), number=found.number, reason=reason)
    return found
