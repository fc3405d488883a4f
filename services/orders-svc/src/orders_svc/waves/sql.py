"""A wave is made by the database alone: ten thousand orders never pass through the memory of the service."""

from sqlalchemy import text

GATHER = text(
    """
    WITH chosen AS (
        SELECT order_id FROM sales_order
        WHERE state = 'placed' AND (pick_after IS NULL OR pick_after <= :now)
          AND NOT EXISTS (SELECT FROM credit_hold h WHERE h.order_id = sales_order.order_id AND h.released_at IS NULL)
        ORDER BY priority DESC, placed_at, order_id
        LIMIT :max_orders FOR NO KEY UPDATE SKIP LOCKED
    ), begun AS (
        UPDATE sales_order o SET state = 'picking', picked_at = :now, version = version + 1
        FROM chosen WHERE o.order_id = chosen.order_id RETURNING o.order_id
    )
    INSERT INTO wave_order (wave_id, order_id, state) SELECT :wave, order_id, 'picking' FROM begun
    """
)
WALK = text(
    """
    INSERT INTO wave_line (wave_id, walk_no, order_id, line_no, product_id, place, sku, name, quantity, picked, state, taken_by)
    SELECT :wave, row_number() OVER (ORDER BY coalesce(s.place, ''), l.sku, o.priority DESC, o.placed_at, l.order_id, l.line_no),
        l.order_id, l.line_no, l.product_id, coalesce(s.place, ''), l.sku, l.name,
        l.quantity - l.shipped_quantity - l.cancelled_quantity, 0, 'waiting', ''
    FROM wave_order w
    JOIN sales_order o ON o.order_id = w.order_id
    JOIN order_line l ON l.order_id = w.order_id
    LEFT JOIN LATERAL (
        SELECT place FROM stock WHERE product_id = l.product_id AND on_hand > 0 ORDER BY on_hand DESC, place LIMIT 1
    ) AS s ON true
    WHERE w.wave_id = :wave AND l.quantity > l.shipped_quantity + l.cancelled_quantity
    """
)
TAKE = text(
    """
    UPDATE wave_line t SET taken_by = :by, taken_until = :until
    FROM (
        SELECT walk_no FROM wave_line
        WHERE wave_id = :wave AND state = 'waiting' AND (taken_until IS NULL OR taken_until <= :now OR taken_by = :by)
        ORDER BY walk_no LIMIT :lines FOR UPDATE SKIP LOCKED
    ) AS next
    WHERE t.wave_id = :wave AND t.walk_no = next.walk_no
    RETURNING t.*
    """
)
SETTLE_ORDER = text(
    """
    UPDATE wave_order SET state = 'picked'
    WHERE wave_id = :wave AND order_id = :order AND state = 'picking'
      AND NOT EXISTS (SELECT FROM wave_line l WHERE l.wave_id = :wave AND l.order_id = :order AND l.state = 'waiting')
    RETURNING order_id
    """
)
"""The caller has locked the order, so that of two last lines one sees the other."""
SETTLE_WAVE = text(
    """
    UPDATE wave SET state = 'picked', closed_at = :now
    WHERE wave_id = :wave AND state = 'open'
      AND NOT EXISTS (SELECT FROM wave_line l WHERE l.wave_id = :wave AND l.state = 'waiting')
    """
)
LEAVE_LINES = text(
    """
    UPDATE wave_line SET state = 'released', settled_at = :now, taken_by = '', taken_until = NULL
    WHERE wave_id = :wave AND order_id = ANY(cast(:orders AS uuid[])) AND state = 'waiting'
    """
)
LEAVE = text(
    """
    UPDATE wave_order SET state = 'done'
    WHERE wave_id = :wave AND order_id = ANY(cast(:orders AS uuid[])) AND state <> 'done'
    """
)
CANCEL = text(
    """
    WITH back AS (
        SELECT w.order_id FROM wave_order w WHERE w.wave_id = :wave AND w.state = 'picking'
          AND NOT EXISTS (SELECT FROM wave_line l WHERE l.wave_id = :wave AND l.order_id = w.order_id AND l.picked > 0)
        ORDER BY w.order_id
    ), placed AS (
        UPDATE sales_order o SET state = 'placed', picked_at = NULL, version = version + 1
        FROM back WHERE o.order_id = back.order_id AND o.state = 'picking' RETURNING o.order_id
    ), lines AS (
        UPDATE wave_line l SET state = 'released', settled_at = :now, taken_by = '', taken_until = NULL
        FROM placed WHERE l.wave_id = :wave AND l.order_id = placed.order_id AND l.state = 'waiting'
    )
    UPDATE wave_order w SET state = 'done' FROM placed WHERE w.wave_id = :wave AND w.order_id = placed.order_id
    """
)
"""Orders of which nothing was taken wait again as before; of the others the walk goes on."""
