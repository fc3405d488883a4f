"""Keep which orders people have paid."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from campaign_svc.aliases import person_alias
from campaign_svc.purchases.model import PaidOrder
from kantis_contracts.orders import OrderCard
from kantis_kit.db import aliases
from kantis_kit.tx import ReadTx, Tx


async def keep_paid(tx: Tx, orders: Sequence[OrderCard]) -> list[UUID]:
    """Keep orders that were paid; return whose they are. Any order, any number of times."""
    rows = await _rows(tx, orders, is_cancelled=False)
    await tx.execute(insert(PaidOrder).values(rows).on_conflict_do_nothing())
    return sorted({row["person_id"] for row in rows})


async def keep_cancelled(tx: Tx, orders: Sequence[OrderCard]) -> None:
    """Let orders count for nothing that were called off, also when that is told before their payment."""
    rows = await _rows(tx, orders, is_cancelled=True)
    await tx.execute(
        insert(PaidOrder)
        .values(rows)
        .on_conflict_do_update(index_elements=["order_id"], set_={"is_cancelled": True})
    )


async def _rows(
    tx: ReadTx, orders: Sequence[OrderCard], *, is_cancelled: bool
) -> list[dict[str, Any]]:
    known = await aliases.resolve(tx, person_alias, [one.person_id for one in orders])
    told = {one.order_id: one for one in orders}
    # In the order of the key, so that two deliveries lock rows in the same order.
    return [
        {
            "order_id": order_id,
            "person_id": known.get(told[order_id].person_id, told[order_id].person_id),
            "merged_id": told[order_id].person_id if told[order_id].person_id in known else None,
            "paid_at": told[order_id].changed_at,
            "is_cancelled": is_cancelled,
        }
        for order_id in sorted(told)
    ]
