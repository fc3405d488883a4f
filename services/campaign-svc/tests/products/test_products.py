"""The copy of the catalogue."""

from uuid import UUID

from campaign_svc.main import SPEC
from kantis_contracts.orders import ProductCard, ProductChangedV1

LAMP = UUID(int=7)


def product(**changes):
    card = {
        "product_id": LAMP, "version": 1, "sku": "LAMP", "name": "Lampe", "price_minor": 19900,
        "currency": "NOK", "vat_pct": 25, "available": 100,
    }  # fmt: skip
    return ProductChangedV1(items=(ProductCard(**{**card, **changes}),))


async def test_an_older_version_of_a_product_changes_nothing(rig_for):
    rig = await rig_for(SPEC)
    await rig.publish(product(version=3, price_minor=3), product(version=2, price_minor=2))
    await rig.publish(product(version=1, price_minor=1))
    await rig.drain()

    pool = await rig.service.database.pool()
    assert [(3, 3)] == [
        tuple(row) for row in await pool.fetch("SELECT version, price_minor FROM product")
    ]
