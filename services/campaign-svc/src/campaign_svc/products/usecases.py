"""Keep the copy of the products."""

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.products.model import Product
from kantis_contracts.orders import ProductCard
from kantis_kit.tx import Tx


async def keep_products(tx: Tx, cards: Sequence[ProductCard]) -> None:
    """Take over the cards that are newer than what we hold; older ones change nothing."""
    newest: dict[str, ProductCard] = {}
    for card in cards:
        held = newest.get(str(card.product_id))
        if held is None or card.version > held.version:
            newest[str(card.product_id)] = card
    if not newest:
        return
    now = tx.clock.now()
    # In the order of the key, so that two consumers lock rows in the same order.
    rows = [
        {**newest[key].model_dump(include=_FIELDS), "updated_at": now} for key in sorted(newest)
    ]
    new = insert(Product).values(rows)
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["product_id"],
            set_={
                name: new.excluded[name]
                for name in (*_FIELDS, "updated_at")
                if name != "product_id"
            },
            where=col(Product.version) < new.excluded.version,
        )
    )


_FIELDS = {
    "product_id", "version", "sku", "name", "price_minor", "currency", "vat_pct", "available", "is_active",
}  # fmt: skip
