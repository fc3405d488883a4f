"""What credit notes took off what people owe."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, update

from contacts_svc.base import table_of
from contacts_svc.facts.model import InvoiceFact
from contacts_svc.facts.queries import as_rows, known_ids
from contacts_svc.facts.usecases import lock_invoices, settle
from contacts_svc.touched import Family, touch
from kantis_contracts.orders import InvoiceCredited
from kantis_kit.tx import Tx


async def keep_credits(tx: Tx, items: Sequence[InvoiceCredited]) -> None:
    """Keep what credit notes took off invoices: of all that was told of one the most, for it only grows."""
    known = await known_ids(tx, (item.person_id for item in items))
    most: dict[UUID, InvoiceCredited] = {}
    for item in items:
        held = most.get(item.invoice_id)
        if held is None or held.credited_minor < item.credited_minor:
            most[item.invoice_id] = item
    rows: list[dict[str, Any]] = [
        {
            "invoice_id": item.invoice_id,
            "order_id": item.order_id,
            "person_id": known[item.person_id],
            "currency": item.currency,
            "credited_minor": item.credited_minor,
        }
        for _, item in sorted(most.items())
    ]
    await lock_invoices(tx, rows)
    told, table = as_rows("told", InvoiceFact, rows), table_of(InvoiceFact)
    await tx.execute(
        update(table)
        .where(table.c.invoice_id == told.c.invoice_id)
        .values(credited_minor=func.greatest(table.c.credited_minor, told.c.credited_minor))
    )
    await settle(tx, most)
    await touch(tx, {row["person_id"] for row in rows}, Family.ORDER)
