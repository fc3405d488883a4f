"""Reads of the product copy."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from kantis_contracts.campaign import ProductBlock
from kantis_kit.tx import ReadTx
from messaging_svc.products.model import also_bought, product_card


async def find_unknown(tx: ReadTx, skus: Sequence[str]) -> list[str]:
    """Return those that the catalogue does not have."""
    known = set(await tx.scalars(select(product_card.c.sku).where(product_card.c.sku.in_(skus))))
    return [sku for sku in skus if sku not in known]


async def blocks_of(tx: ReadTx, skus: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what messages show of those that can be bought now, in the order in which they are named."""
    if not skus:
        return {}
    rows = await tx.execute(
        select(product_card).where(
            product_card.c.sku.in_(skus), product_card.c.is_active, product_card.c.available > 0
        )
    )
    found = {
        row.sku: ProductBlock(name=row.name, price_minor=row.price_minor, currency=row.currency)
        for row in rows
    }
    return {sku: found[sku].model_dump(mode="json") for sku in skus if sku in found}


async def also_bought_with(
    tx: ReadTx, product_id: UUID | None, skus: Sequence[str]
) -> list[dict[str, Any]]:
    """Return what messages show of what others also bought who bought one of these; not these themselves."""
    rows = await tx.execute(
        select(also_bought.c.skus, product_card.c.sku, product_card.c.product_id)
        .join(product_card, product_card.c.product_id == also_bought.c.product_id)
        .where(or_(also_bought.c.product_id == product_id, product_card.c.sku.in_(skus)))
        .order_by((product_card.c.product_id == product_id).desc(), product_card.c.sku)
    )
    found = list(rows)
    own = {*skus, *(row.sku for row in found)}
    # The first of each before the second of any: what is offered speaks for itself once.
    longest = max((len(row.skus) for row in found), default=0)
    named = [row.skus[place] for place in range(longest) for row in found if place < len(row.skus)]
    wanted = [sku for sku in dict.fromkeys(named) if sku not in own]
    blocks = await blocks_of(tx, wanted)
    return list(blocks.values())
