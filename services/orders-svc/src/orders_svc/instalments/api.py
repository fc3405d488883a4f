"""Instalment plans over HTTP."""

from uuid import UUID

from kantis_kit.auth.policy import needs
from kantis_kit.web import Read, Router, Write
from orders_svc.instalments import usecases
from orders_svc.instalments.schemas import PlanIn, PlanOut

router = Router(prefix="/v1/invoices", tags=["instalments"])


@router.post("/{invoice_id}/instalments", policy=needs("orders:write"), status_code=201)
async def make_plan(invoice_id: UUID, body: PlanIn, tx: Write) -> PlanOut:
    """Let what is open of an invoice be paid in parts."""
    return await usecases.make_plan(tx, invoice_id, body)


@router.get("/{invoice_id}/instalments", policy=needs("orders:read"))
async def get_plan(invoice_id: UUID, tx: Read) -> PlanOut:
    """Return the plan of an invoice and how it is kept."""
    return await usecases.show_plan(tx, invoice_id)


@router.delete("/{invoice_id}/instalments", policy=needs("orders:write"), status_code=204)
async def end_plan(invoice_id: UUID, tx: Write) -> None:
    """End the plan: all that is open is due as it was."""
    await usecases.end_plan(tx, invoice_id)
