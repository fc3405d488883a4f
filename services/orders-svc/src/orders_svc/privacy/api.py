"""What bookkeepers find of the forgotten, over HTTP."""

from uuid import UUID

from fastapi import Request

from kantis_kit.auth.policy import needs
from kantis_kit.web import Router, Write
from kantis_kit.web.state import state_of
from orders_svc.privacy import books
from orders_svc.privacy.schemas import LookIn, RestrictedRecipientOut

router = Router(prefix="/v1/invoices", tags=["privacy"])


@router.post("/{invoice_id}/restricted-recipient", policy=needs("books:read", privileged=True))
async def look_up_recipient(
    invoice_id: UUID, body: LookIn, tx: Write, request: Request
) -> RestrictedRecipientOut:
    """Tell to whom an invoice of a forgotten person was made out; who looked, and why, stands in the audit log."""
    found = await books.look_up_recipient(tx, invoice_id, reason=body.reason)
    stored = found.model_copy(update={"recipient": None})
    state_of(request).stored_body = stored.model_dump_json().encode()
    return found
