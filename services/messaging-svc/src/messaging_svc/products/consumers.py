"""Events that change the product copy."""

from kantis_contracts.orders import ProductChangedV1, RecommendationChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.products import usecases


@consumes(ProductChangedV1, queue="messaging.products")
async def on_products_changed(tx: Tx, event: ProductChangedV1, _meta: Meta) -> None:
    """Products are new, or their price or stock has changed."""
    await usecases.keep_products(tx, event.items)


@consumes(RecommendationChangedV1, queue="messaging.products")
async def on_recommendations_changed(tx: Tx, event: RecommendationChangedV1, _meta: Meta) -> None:
    """What is bought together has changed."""
    await usecases.keep_recommendations(tx, event.items)
