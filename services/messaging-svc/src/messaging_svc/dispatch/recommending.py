"""What a message recommends by itself: what others who bought what it offers also bought."""

from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, select

from kantis_contracts.campaign import OfferCard
from kantis_kit.tx import ReadTx
from messaging_svc.products.queries import also_bought_with
from messaging_svc.templates.blocks import MAX_ITEMS
from messaging_svc.templates.model import template_version


async def recommended(
    tx: ReadTx, version_id: UUID | None, offer: OfferCard | None
) -> dict[str, Any]:
    """Return the recommendations of messages that bring none, when their words show any; else nothing."""
    row = (
        await tx.execute(
            select(template_version.c.products).where(
                template_version.c.id == version_id,
                cast(template_version.c.source, Text).contains("recommendations"),
            )
        )
    ).first()
    if row is None:
        return {}
    blocks = await also_bought_with(tx, offer.product_id if offer else None, row.products)
    return {"recommendations": blocks[:MAX_ITEMS]} if blocks else {}
