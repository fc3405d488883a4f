"""What the orders tell that people have paid."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.purchases.model import PaidOrder
from kantis_kit.tx import ReadTx


async def was_customer(tx: ReadTx, person_id: UUID, *, before: datetime | None = None) -> bool:
    """Say whether somebody has paid an order, or had before this moment."""
    wanted = select(col(PaidOrder.order_id)).where(
        col(PaidOrder.person_id) == person_id, col(PaidOrder.is_cancelled).is_(False)
    )
    if before is not None:
        wanted = wanted.where(col(PaidOrder.paid_at) < before)
    return await tx.scalar(wanted.limit(1)) is not None
