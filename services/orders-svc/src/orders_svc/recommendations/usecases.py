"""Learn from orders what is bought together, and say so: others who bought this also bought."""

from kantis_kit.tx import Tx
from orders_svc.recommendations import events
from orders_svc.recommendations.sql import COUNT, PAIR, TAKE, TELL
from orders_svc.settings import OrdersSettings

PART = 1_000


async def learn(tx: Tx) -> int:
    """Count the orders that nobody has counted yet, up to a thousand; return how many there were.

    Set-based, and by one at a time: it is a recurring job. Orders that were called off before they were counted do not
    count. Publishes the products of which something else is recommended now.
    """
    rows = list(await tx.execute(TAKE, {"part": PART}))
    new = [(row.person_id, row.product_id) for row in rows if row.person_id is not None]
    if new:
        people, products = [one for one, _ in new], [one for _, one in new]
        await tx.execute(COUNT, {"products": products})
        await tx.execute(PAIR, {"people": people, "products": products})
        settings = tx.settings(OrdersSettings)
        told = await tx.execute(
            TELL,
            {
                "products": sorted(set(products)),
                "least": settings.recommendation_min_buyers,
                "most": settings.recommendation_most,
            },
        )
        tx.stage(events.recommendations_changed(list(told)))
    return int(rows[0].taken)
