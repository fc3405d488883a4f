"""Everything that orders holds of a person."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, or_, select
from sqlmodel import col

from kantis_kit.db.sets import one_of
from kantis_kit.gathering import Rows, rows_naming, rows_of
from kantis_kit.tx import ReadTx
from orders_svc.base import Base
from orders_svc.billing.model import Invoice
from orders_svc.privacy.errors import NothingRestricted
from orders_svc.privacy.model import RestrictedRecipient
from orders_svc.privacy.rows import gather_rows
from orders_svc.privacy.schemas import RestrictedRecipientOut


async def gather(tx: ReadTx, ids: Sequence[UUID]) -> dict[str, Rows]:
    """Return what orders holds of a person under these ids."""
    chosen = one_of(sorted(ids), Uuid())
    tables = Base.metadata.tables
    found = await rows_naming(tx, Base.metadata, ids)
    order, invoice = tables["sales_order"], tables["invoice"]
    orders = select(order.c.order_id).where(order.c.person_id == chosen)
    invoices = select(invoice.c.invoice_id).where(invoice.c.person_id == chosen)
    line, vat, payment = tables["order_line"], tables["invoice_vat"], tables["payment"]
    case, step = tables["dunning_case"], tables["dunning_step"]
    found["order_line"] = await rows_of(tx, line, line.c.order_id.in_(orders))
    for name in ("shipment", "parcel", "goods_return"):
        table = tables[name]
        found[name] = await rows_of(tx, table, table.c.order_id.in_(orders))
    found["invoice_vat"] = await rows_of(tx, vat, vat.c.invoice_id.in_(invoices))
    found["payment"] = await rows_of(
        tx, payment, or_(payment.c.invoice_id.in_(invoices), payment.c.person_id == chosen)
    )
    found["dunning_case"] = await rows_of(tx, case, case.c.invoice_id.in_(invoices))
    found["dunning_step"] = await rows_of(tx, step, step.c.invoice_id.in_(invoices))
    claim, plan, part = tables["claim"], tables["instalment_plan"], tables["instalment"]
    found["claim"] = await rows_of(tx, claim, claim.c.invoice_id.in_(invoices))
    found["instalment_plan"] = await rows_of(tx, plan, plan.c.invoice_id.in_(invoices))
    plans = select(plan.c.plan_id).where(plan.c.invoice_id.in_(invoices))
    found["instalment"] = await rows_of(tx, part, part.c.plan_id.in_(plans))
    found |= await gather_rows(tx, ids)
    return {kind: rows for kind, rows in found.items() if rows}


async def get_restricted(tx: ReadTx, invoice_id: UUID) -> RestrictedRecipientOut:
    """Return to whom an invoice of a forgotten person was made out. Raises `NothingRestricted`."""
    rows = await tx.execute(
        select(
            col(Invoice.number),
            col(RestrictedRecipient.recipient),
            col(RestrictedRecipient.keep_until),
        )
        .join(Invoice, col(Invoice.invoice_id) == col(RestrictedRecipient.invoice_id))
        .where(col(RestrictedRecipient.invoice_id) == invoice_id)
    )
    row = rows.first()
    if row is None:
        raise NothingRestricted(
            f"invoice_id: nothing is kept apart for {invoice_id}; when its person has not been forgotten, the recipient"
            f" stands on the invoice itself: GET /v1/invoices/{invoice_id}/pdf"
        )
    return RestrictedRecipientOut(
        invoice_id=invoice_id, number=row.number, recipient=row.recipient, keep_until=row.keep_until
    )
