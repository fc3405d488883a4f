"""Statements of a launch that take a thousand pieces at once: an array per column, and nothing looked up row by row."""

ADD_PIECES = """
    WITH way AS MATERIALIZED (
        SELECT told.way, told.cell_id, cast(told.because AS jsonb) AS because, told.channel, told.cost_minor,
            told.worth, cast(told.route AS jsonb) AS route, told.is_reserve, told.state, told.reason
        FROM unnest($7::int[], $8::uuid[], $9::text[], $10::text[], $11::bigint[], $12::int[], $13::text[],
                    $14::bool[], $15::text[], $16::text[])
            AS told (way, cell_id, because, channel, cost_minor, worth, route, is_reserve, state, reason)
    ), made AS (
        INSERT INTO piece (id, launch_id, campaign_id, cell_id, person_id, merged_id, response_code, because, channel,
            cost_minor, worth, route, is_reserve, state, reason, released_at, settled_at)
        SELECT new.id, $1::uuid, $2::uuid, way.cell_id, coalesce(a.known_id, new.person_id), a.merged_id,
            new.response_code, way.because, way.channel, way.cost_minor, way.worth, way.route, way.is_reserve,
            way.state, way.reason, $17::timestamptz, CASE way.state WHEN 'left_out' THEN $17::timestamptz END
        FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::int[]) AS new (id, person_id, response_code, way)
        JOIN way ON way.way = new.way
        LEFT JOIN person_alias a ON a.merged_id = new.person_id AND a.known_id IS NOT NULL
        ORDER BY new.person_id
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM made
"""
"""Adds the pieces ($3 to $6) of a launch ($1, $2) that are new; what many have in common ($7 to $16) travels once.

Both of two records of one person get a piece; the second is not mailed. Who has a piece already, or would get a code
that is in use, gets none.
"""

STORED = """
    SELECT cast(coalesce(merged_id, person_id) AS text) AS named, cast(id AS text) AS id
    FROM piece WHERE launch_id = $1::uuid AND coalesce(merged_id, person_id) = ANY($2::uuid[])
"""
"""Which of these ids of an audience have a piece, and which one."""
