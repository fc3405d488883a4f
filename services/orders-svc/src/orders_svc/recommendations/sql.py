"""Statements that count who bought what together."""

from sqlalchemy import text

TAKE = text(
    """
    WITH taken AS (
        DELETE FROM basket WHERE order_id IN (
            SELECT order_id FROM basket ORDER BY order_id LIMIT :part FOR UPDATE SKIP LOCKED
        ) RETURNING order_id
    ), counted AS (
        INSERT INTO bought (person_id, product_id)
        SELECT DISTINCT o.person_id, coalesce(p.variant_of, p.product_id)
        FROM taken JOIN sales_order o USING (order_id) JOIN order_line l USING (order_id) JOIN product p USING (product_id)
        WHERE o.state <> 'cancelled' AND p.kind = 'goods'
        ON CONFLICT DO NOTHING RETURNING person_id, product_id
    )
    SELECT (SELECT count(*) FROM taken) AS taken, person_id, product_id
    FROM (SELECT 1) AS one LEFT JOIN counted ON true
    """
)
COUNT = text(
    """
    INSERT INTO buyers (product_id, buyers)
    SELECT product_id, count(*) FROM unnest(cast(:products AS uuid[])) AS product_id GROUP BY product_id
    ORDER BY product_id
    ON CONFLICT (product_id) DO UPDATE SET buyers = buyers.buyers + excluded.buyers
    """
)
PAIR = text(
    """
    INSERT INTO bought_together (product_id, other_id, buyers)
    SELECT product_id, other_id, count(*) FROM (
        SELECT n.person_id, pair.product_id, pair.other_id
        FROM unnest(cast(:people AS uuid[]), cast(:products AS uuid[])) AS n (person_id, product_id)
        JOIN bought b ON b.person_id = n.person_id AND b.product_id <> n.product_id
        CROSS JOIN LATERAL (VALUES (n.product_id, b.product_id), (b.product_id, n.product_id)) AS pair (product_id, other_id)
        GROUP BY 1, 2, 3
    ) AS each GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (product_id, other_id) DO UPDATE SET buyers = bought_together.buyers + excluded.buyers
    """
)
TELL = text(
    """
    WITH touched AS (
        SELECT unnest(cast(:products AS uuid[])) AS product_id
        UNION SELECT product_id FROM bought_together WHERE other_id = ANY(cast(:products AS uuid[]))
    ), also AS (SELECT t.product_id, t.other_id, t.buyers,
            round(t.buyers::numeric * everybody.buyers / (mine.buyers::numeric * theirs.buyers), 4) AS lift,
            row_number() OVER (PARTITION BY t.product_id
                ORDER BY t.buyers::numeric / theirs.buyers DESC, t.buyers DESC, t.other_id) AS place
        FROM bought_together t
        JOIN buyers mine ON mine.product_id = t.product_id
        JOIN buyers theirs ON theirs.product_id = t.other_id
        CROSS JOIN (SELECT count(DISTINCT person_id) AS buyers FROM bought) AS everybody
        WHERE t.buyers >= :least AND t.buyers::numeric * everybody.buyers > mine.buyers::numeric * theirs.buyers
          AND t.product_id IN (SELECT product_id FROM touched)
    ), listed AS (
        SELECT touched.product_id, coalesce(jsonb_agg(jsonb_build_object(
            'product_id', also.other_id, 'sku', p.sku, 'lift', also.lift, 'buyers', also.buyers
        ) ORDER BY also.place) FILTER (WHERE also.place <= :most), '[]') AS also
        FROM touched LEFT JOIN also USING (product_id) LEFT JOIN product p ON p.product_id = also.other_id
        GROUP BY touched.product_id
    )
    INSERT INTO recommendation (product_id, version, also)
    SELECT product_id, 1, also FROM listed
    WHERE also <> '[]' OR EXISTS (SELECT FROM recommendation r WHERE r.product_id = listed.product_id)
    ORDER BY product_id
    ON CONFLICT (product_id) DO UPDATE SET version = recommendation.version + 1, also = excluded.also
        WHERE recommendation.also IS DISTINCT FROM excluded.also
    RETURNING product_id, version, also
    """
)
