"""Events that change the product copy."""

from campaign_svc.products import usecases
from kantis_contracts.orders import ProductChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(ProductChangedV1, queue="campaign.products")
async def on_products_changed(tx: Tx, event: ProductChangedV1, _meta: Meta) -> None:
    """Products are new, or their price or stock has changed."""
    await usecases.keep_products(tx, event.items)
