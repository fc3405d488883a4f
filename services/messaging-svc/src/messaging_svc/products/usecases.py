"""Keep the copy of the products."""

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert

from kantis_contracts.orders import ProductCard, Recommendation
from kantis_kit.tx import Tx
from messaging_svc.products.model import also_bought, product_card


async def keep_products(tx: Tx, cards: Sequence[ProductCard]) -> None:
    """Take over the cards that are newer than what we hold; older ones change nothing."""
    newest = {one.product_id: one for one in sorted(cards, key=lambda one: one.version)}
    names = {column.name for column in product_card.columns}
    # In the order of the key, so that two consumers lock rows in the same order.
    new = insert(product_card).values(
        [newest[key].model_dump(include=names) for key in sorted(newest)]
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["product_id"],
            set_={name: new.excluded[name] for name in names - {"product_id"}},
            where=product_card.c.version < new.excluded.version,
        )
    )


async def keep_recommendations(tx: Tx, told: Sequence[Recommendation]) -> None:
    """Take over what is newer than what we hold; older news change nothing."""
    newest = {one.product_id: one for one in sorted(told, key=lambda one: one.version)}
    new = insert(also_bought).values(
        [
            {
                "product_id": key,
                "version": newest[key].version,
                "skus": [one.sku for one in newest[key].also],
            }
            for key in sorted(newest)
        ]
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["product_id"],
            set_={"version": new.excluded.version, "skus": new.excluded.skus},
            where=also_bought.c.version < new.excluded.version,
        )
    )
