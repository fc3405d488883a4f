"""What orders tells of products."""

from contacts_svc.insights import usecases
from kantis_contracts.orders import ProductChangedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(ProductChangedV1, queue="contacts.products", sink=True)
async def on_product_changed(tx: Tx, event: ProductChangedV1, _meta: Meta) -> None:
    """Keep what matches show of products."""
    await usecases.keep_products(tx, event.items)
