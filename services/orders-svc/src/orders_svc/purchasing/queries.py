"""What should be bought: by what is promised, what campaigns are expected to bring, and what went lately."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, text

from kantis_kit.calendar import date_in
from kantis_kit.tx import ReadTx
from orders_svc.purchasing.schemas import Suggestion
from orders_svc.settings import OrdersSettings

RESPONSE_DAYS = 30
"""So long after its pieces were released, orders are still expected of a campaign."""
USAGE_DAYS = 28
"""So many days back is looked for how much goes by itself: four weeks have the same weekdays."""

_NEEDED = text(
    """
    WITH placed AS (
        SELECT o.campaign_id, o.cell_id, coalesce(l.bundle_id, l.wanted_id, l.product_id) AS product_id,
            count(DISTINCT o.order_id) AS orders
        FROM sales_order o JOIN order_line l USING (order_id)
        WHERE o.campaign_id IS NOT NULL AND o.state <> 'cancelled' AND o.placed_at >= :responses_since GROUP BY 1, 2, 3
    ), expected AS (
        SELECT r.product_id, greatest(0, ceil(sum(r.pieces * r.expected_response_pct) / 100)
            - coalesce(max(placed.orders), 0)) AS orders
        FROM (
            SELECT campaign_id, cell_id, product_id, sum(pieces) AS pieces,
                coalesce(max(expected_response_pct), :usual_pct) AS expected_response_pct
            FROM release WHERE product_id IS NOT NULL AND released_at >= :responses_since GROUP BY 1, 2, 3
        ) AS r LEFT JOIN placed USING (campaign_id, cell_id, product_id)
        GROUP BY r.campaign_id, r.cell_id, r.product_id
    ), campaigns AS (
        SELECT coalesce(b.product_id, e.product_id) AS product_id, sum(e.orders * coalesce(b.quantity, 1)) AS pieces
        FROM expected e LEFT JOIN bundle_part b ON b.bundle_id = e.product_id GROUP BY 1
    ), used AS (
        SELECT product_id, -sum(quantity) AS pieces FROM stock_movement
        WHERE reason IN ('shipped', 'packed') AND moved_at >= :used_since GROUP BY 1
    ), all_orders AS (
        SELECT coalesce(sum(orders), 0) AS coming FROM expected
    ), packed AS (
        SELECT material_id AS product_id, sum(quantity + short)::numeric / nullif((SELECT count(DISTINCT order_id) FROM packing WHERE packed_at >= :used_since), 0)
            AS per_order
        FROM packing WHERE packed_at >= :used_since GROUP BY 1
    ), coming AS (
        SELECT product_id, sum(quantity - received) AS pieces FROM incoming WHERE NOT is_closed GROUP BY 1
    )
    SELECT p.product_id, p.sku, p.name, p.kind, p.on_hand, p.reserved, p.awaited, p.min_stock, p.order_multiple, p.lead_days,
        coalesce(campaigns.pieces, 0)::integer + coalesce(ceil(packed.per_order * all_orders.coming), 0)::integer AS expected,
        ceil(coalesce(used.pieces, 0)::numeric / :usage_days * coalesce(p.lead_days, 0))::integer AS usual,
        coalesce(used.pieces, 0)::numeric / :usage_days AS per_day,
        coalesce(coming.pieces, 0)::integer AS incoming
    FROM product p CROSS JOIN all_orders
    LEFT JOIN campaigns USING (product_id) LEFT JOIN used USING (product_id)
    LEFT JOIN packed USING (product_id) LEFT JOIN coming USING (product_id)
    WHERE p.is_active AND p.kind IN ('goods', 'material')
      AND p.on_hand - p.reserved - p.awaited + coalesce(coming.pieces, 0) <
        p.min_stock + coalesce(campaigns.pieces, 0) + coalesce(ceil(packed.per_order * all_orders.coming), 0)
        + ceil(coalesce(used.pieces, 0)::numeric / :usage_days * coalesce(p.lead_days, 0))
    ORDER BY p.sku
    """
)


async def suggestions(tx: ReadTx) -> list[Suggestion]:
    """Return what to buy, how much of it, and by when it must be ordered to come in time.

    What is needed is what orders wait for, what the least stock wants, what campaigns of the last 30 days are still
    expected to bring, and what usually goes while a purchase is on its way; less what is there and what is coming.
    """
    settings = tx.settings(OrdersSettings)
    now = tx.clock.now()
    rows = await tx.execute(
        _NEEDED,
        {
            "responses_since": now - timedelta(days=RESPONSE_DAYS),
            "used_since": now - timedelta(days=USAGE_DAYS),
            "usage_days": USAGE_DAYS,
            "usual_pct": settings.usual_response_pct,
        },
    )
    today = date_in(now, settings.company_country)
    found = []
    for row in rows:
        free = row.on_hand - row.reserved
        missing = row.awaited + row.min_stock + row.expected + row.usual - free - row.incoming
        boxes = -(-missing // row.order_multiple)
        found.append(
            Suggestion(
                product_id=row.product_id,
                sku=row.sku,
                name=row.name,
                kind=row.kind,
                quantity=boxes * row.order_multiple,
                available=max(0, free - row.awaited),
                awaited=row.awaited,
                incoming=row.incoming,
                expected=row.expected,
                usual=row.usual,
                min_stock=row.min_stock,
                order_by=_order_by(row, free, today),
            )
        )
    return found


def _order_by(row: Row[Any], free: int, today: date) -> date:
    """Return the last day on which an order comes before the shelf is empty; today when that has passed."""
    daily = float(row.per_day) + row.expected / RESPONSE_DAYS
    lasts = int(max(0, free - row.awaited) / daily) if daily else 0
    return today + timedelta(days=max(0, lasts - (row.lead_days or 0)))
