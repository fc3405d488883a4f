"""Who waits for goods."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.catalogue.model import Product

_WAITING = text(
    """
    WITH theirs AS (
        SELECT DISTINCT other.product_id FROM reservation one
        JOIN reservation other USING (order_id)
        WHERE one.product_id = ANY(cast(:products AS uuid[])) AND one.state = 'waiting' AND other.state = 'waiting'
    )
    SELECT o.order_id FROM sales_order o
    WHERE o.state = 'waiting' AND EXISTS (
        SELECT FROM reservation r JOIN theirs USING (product_id) WHERE r.order_id = o.order_id AND r.state = 'waiting'
    )
    ORDER BY o.placed_at, o.order_id LIMIT :part
    """
)
_ANSWERS = text(
    """
    WITH wanted AS (
        SELECT unnest(cast(:products AS uuid[])) AS product_id
        UNION SELECT bundle_id FROM bundle_part WHERE product_id = ANY(cast(:products AS uuid[]))
    )
    SELECT r.response_id FROM response r
    LEFT JOIN code c ON c.response_code = r.response_code
    LEFT JOIN release l ON l.launch_id = c.launch_id AND l.cell_id = c.cell_id
    WHERE r.state = 'open' AND r.next_step = 'back_order' AND r.order_id IS NULL AND (
        (r.lines = '[]' AND l.product_id IN (SELECT product_id FROM wanted))
        OR EXISTS (SELECT FROM jsonb_array_elements(r.lines) AS line
                   WHERE cast(line ->> 'product_id' AS uuid) IN (SELECT product_id FROM wanted))
    )
    ORDER BY r.responded_at, r.response_id LIMIT :part
    """
)


async def find_waiting(tx: ReadTx, product_ids: Iterable[UUID], *, limit: int) -> list[UUID]:
    """Return the orders that wait for these products, or for others that those wait for too; who came first in front."""
    rows = await tx.scalars(_WAITING, {"products": list(product_ids), "part": limit})
    return list(rows)


async def find_waiting_answers(
    tx: ReadTx, product_ids: Iterable[UUID], *, limit: int
) -> list[UUID]:
    """Return the answers whose order could not be placed for want of these products, or of bundles with them."""
    rows = await tx.scalars(_ANSWERS, {"products": list(product_ids), "part": limit})
    return list(rows)


async def find_products(tx: ReadTx, product_ids: Collection[UUID]) -> list[Product]:
    """Return products as they are now."""
    rows = await tx.scalars(
        select(Product)
        .where(col(Product.product_id).in_(product_ids))
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def find_free_and_awaited(tx: ReadTx, *, limit: int) -> list[UUID]:
    """Return the products of which something is free while somebody waits for them."""
    rows = await tx.scalars(
        select(col(Product.product_id))
        .where(col(Product.awaited) > 0, col(Product.on_hand) > col(Product.reserved))
        .order_by(col(Product.product_id))
        .limit(limit)
    )
    return list(rows)
