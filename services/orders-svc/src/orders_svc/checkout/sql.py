"""Many orders in one look and one statement; the products are changed last, in the order of their ids."""

LOOK = """
WITH wanted AS MATERIALIZED (
    SELECT product_id, sku, name, price_minor, currency, vat_pct, vat_class, kind, has_prices, on_hand, reserved, awaited
    FROM product
    WHERE (product_id = ANY($2::uuid[]) OR sku = ANY($3::text[]))
      AND kind IN ('goods', 'material') AND is_active AND NOT is_part
)
SELECT
    (
        SELECT json_agg(json_build_object('person_id', person_id, 'version', version, 'language', language,
                                          'country', country, 'address_country', address_country))
        FROM person p
        WHERE person_id = ANY($1::uuid[]) AND NOT is_erased
          AND NOT EXISTS (SELECT FROM person_alias a WHERE a.merged_id = p.person_id)
          AND NOT EXISTS (SELECT FROM customer_terms t WHERE t.person_id = p.person_id)
    ) AS persons,
    (
        SELECT json_agg(json_build_object('product_id', product_id, 'sku', sku, 'name', name, 'price_minor', price_minor,
                                          'currency', currency, 'vat_pct', vat_pct::text, 'vat_class', vat_class,
                                          'kind', kind, 'on_hand', on_hand, 'reserved', reserved, 'awaited', awaited))
        FROM wanted
    ) AS products,
    (
        SELECT json_agg(json_build_array(product_id, currency, price_minor))
        FROM (
            SELECT DISTINCT ON (price.product_id, price.currency) price.product_id, price.currency, price.price_minor
            FROM price JOIN wanted USING (product_id)
            WHERE has_prices AND valid_from <= $4 AND (valid_until IS NULL OR valid_until >= $4)
            ORDER BY price.product_id, price.currency, valid_from DESC
        ) AS listed
    ) AS prices,
    (
        SELECT json_agg(json_build_array(country, vat_class, vat_pct::text))
        FROM (
            SELECT DISTINCT ON (country, vat_class) country, vat_class, vat_pct
            FROM vat_rate WHERE valid_from <= $4 ORDER BY country, vat_class, valid_from DESC
        ) AS known
    ) AS rates,
    (SELECT array_agg(external_id) FROM sales_order WHERE external_id = ANY($5::text[])) AS external_ids,
    (
        SELECT array_agg(n) FROM unnest($6::text[], $7::text[]) WITH ORDINALITY AS asked (caller, key, n)
        JOIN idempotency i ON i.caller = asked.caller AND i.route = $8 AND i.key = asked.key
    ) AS used_keys,
    (SELECT array_agg(nextval('order_number')) FROM generate_series(1, $9::int)) AS numbers
"""
"""What is plain of what orders name: people without terms of their own, goods that are no part of a bundle."""

PRODUCTS_PER_EVENT = 200
"""Their cards are below the 256 KiB of an event, however long their names are."""

PLACE = """
WITH new_key AS (
    INSERT INTO idempotency (caller, route, key, request_hash, status, headers, body, stored_at)
    SELECT caller, $1, key, request_hash, 201, headers::jsonb, body, $2
    FROM unnest($3::text[], $4::text[], $5::bytea[], $6::text[], $7::bytea[])
        AS given (caller, key, request_hash, headers, body)
    RETURNING key
), new_order AS (
    INSERT INTO sales_order (order_id, version, number, person_id, state, is_paid, total_minor, currency, placed_at,
        priority, tracking, ship_to, external_id, substitutes)
    SELECT order_id, 1, number, person_id, 'placed', false, total_minor, currency, $2, 0, '', ship_to::jsonb, external_id,
        substitutes
    FROM unnest($8::uuid[], $9::text[], $10::uuid[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::text[])
        AS given (order_id, number, person_id, total_minor, currency, ship_to, external_id, substitutes)
    WHERE (SELECT count(*) FROM new_key) >= 0
    RETURNING order_id
), new_line AS (
    INSERT INTO order_line (order_id, line_no, product_id, sku, name, quantity, unit_price_minor, vat_pct, amount_minor,
        shipped_quantity, cancelled_quantity)
    SELECT given.*, 0, 0
    FROM unnest($16::uuid[], $17::int[], $18::uuid[], $19::text[], $20::text[], $21::int[], $22::bigint[], $23::numeric[],
        $24::bigint[]) AS given
), new_basket AS (
    INSERT INTO basket (order_id) SELECT unnest($8::uuid[])
), new_reservation AS (
    INSERT INTO reservation (order_id, product_id, quantity, state)
    SELECT given.*, 'held' FROM unnest($25::uuid[], $26::uuid[], $27::int[]) AS given
), locked AS MATERIALIZED (
    SELECT product_id FROM product
    WHERE product_id = ANY($28::uuid[]) AND (SELECT count(*) FROM new_order) > 0
    ORDER BY product_id FOR NO KEY UPDATE
), taken AS (
    UPDATE product p SET reserved = p.reserved + wanted.quantity, version = p.version + 1
    FROM unnest($28::uuid[], $29::int[]) AS wanted (product_id, quantity)
    WHERE p.product_id = wanted.product_id AND (SELECT count(*) FROM locked) > 0
      AND p.is_active AND NOT p.is_part AND p.on_hand - p.reserved - p.awaited >= wanted.quantity
    RETURNING p.*
), told AS (
    INSERT INTO outbox (id, type, subject, occurred_at, recorded_at, correlation_id, causation_id, traceparent, data)
    SELECT * FROM unnest($30::uuid[], $31::text[], $32::text[], $33::timestamptz[], $34::timestamptz[], $35::uuid[],
        $36::uuid[], $37::text[], $38::bytea[])
), told_stock AS (
    INSERT INTO outbox (id, type, subject, occurred_at, recorded_at, correlation_id, causation_id, traceparent, data)
    SELECT ($39::uuid[])[part], $40, NULL, $2, $2, ($35::uuid[])[1], NULL, ($37::text[])[1],
        convert_to(json_build_object('items', json_agg(card))::text, 'UTF8')
    FROM (
        SELECT 1 + (row_number() OVER (ORDER BY product_id) - 1) / $41::int AS part,
            json_build_object('product_id', product_id, 'version', version, 'sku', sku, 'name', name,
                'price_minor', price_minor, 'currency', currency, 'vat_pct', trim_scale(vat_pct),
                'available', on_hand - reserved - awaited, 'is_active', is_active) AS card
        FROM taken
    ) AS cards
    GROUP BY part
)
SELECT 1 / ((SELECT count(*) FROM taken) = cardinality($28::uuid[]))::int AS is_whole
"""
"""All of it or nothing: a product of which there is too little by now makes the last line divide by nought.

What others may hold comes in the order in which the long way takes it: the key, the id of the shop, the products last.
What becomes of these is told by the statement that changes them, for only it knows their versions.
"""
