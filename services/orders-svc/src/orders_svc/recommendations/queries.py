"""What buyers of a product also bought."""

from uuid import UUID

from kantis_kit.tx import ReadTx
from orders_svc.catalogue.queries import find_products, get_product
from orders_svc.recommendations.model import Recommended
from orders_svc.recommendations.schemas import AlsoBoughtOut


async def also_bought(tx: ReadTx, product_id: UUID) -> list[AlsoBoughtOut]:
    """Return what is sold of what buyers of a product, or of its family, also bought. Raises `ProductNotFound`."""
    product = await get_product(tx, product_id)
    found = await tx.get(Recommended, product.variant_of or product_id)
    if found is None:
        return []
    known = await find_products(tx, [UUID(one["product_id"]) for one in found.also])
    shown = []
    for one in found.also:
        other = known[UUID(one["product_id"])]
        if other.is_active:
            shown.append(
                AlsoBoughtOut(
                    product_id=other.product_id,
                    sku=other.sku,
                    name=other.name,
                    price_minor=other.price_minor,
                    currency=other.currency,
                    available=other.available,
                    lift=float(one["lift"]),
                    buyers=one["buyers"],
                )
            )
    return shown
