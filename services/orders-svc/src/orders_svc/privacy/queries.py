"""Everything that orders holds of a person."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, select

from kantis_kit.db.sets import one_of
from kantis_kit.gathering import Rows, rows_of
from kantis_kit.tx import ReadTx
from orders_svc.base import Base


async def gather(tx: ReadTx, ids: Sequence[UUID]) -> dict[str, Rows]:
    """Return what orders holds of a person under these ids."""
    chosen = one_of(sorted(ids), Uuid())
    tables = Base.metadata.tables
    found = {
        name: await rows_of(tx, table, table.c.person_id == chosen)
        for name, table in tables.items()
        if "person_id" in table.c
    }
    order, invoice = tables["sales_order"], tables["invoice"]
    orders = select(order.c.order_id).where(order.c.person_id == chosen)
    invoices = select(invoice.c.invoice_id).where(invoice.c.person_id == chosen)
    line, vat, payment = tables["order_line"], tables["invoice_vat"], tables["payment"]
    found["order_line"] = await rows_of(tx, line, line.c.order_id.in_(orders))
    found["invoice_vat"] = await rows_of(tx, vat, vat.c.invoice_id.in_(invoices))
    found["payment"] = await rows_of(tx, payment, payment.c.invoice_id.in_(invoices))
    return {kind: rows for kind, rows in found.items() if rows}
