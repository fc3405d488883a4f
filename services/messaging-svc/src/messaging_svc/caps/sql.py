"""The statements of the caps."""

from sqlalchemy import text

from messaging_svc.caps.conditions import CONCERNS, COSTS, SCOPE

WAITING = text(
    """
    SELECT channel, count(*) AS messages FROM dispatch WHERE state = 'planned' AND rule = 'waits_for_budget'
    GROUP BY channel
    """
)

COUNT_REACHED = "SELECT count(*) FROM spend_cap WHERE reached_at IS NOT NULL"

LOCK = text(
    f"""
    SELECT k.id FROM spend_cap k
    WHERE EXISTS (
        SELECT FROM dispatch d JOIN dispatch_source c ON c.id = d.source_id
        WHERE d.id = ANY(cast(:ids AS uuid[])) AND {COSTS} AND {CONCERNS})
    ORDER BY k.id FOR NO KEY UPDATE
    """  # noqa: S608 - the conditions are constants
)

ROOM = text(
    f"""
    SELECT d.id, k.id AS cap_id, {SCOPE} AS scope, d.cost_minor, k.limit_minor - coalesce(n.spent_minor, 0) AS room_minor
    FROM unnest(cast(:ids AS uuid[])) WITH ORDINALITY AS t (id, place)
    JOIN dispatch d ON d.id = t.id
    JOIN dispatch_source c ON c.id = d.source_id
    JOIN spend_cap k ON {CONCERNS}
    LEFT JOIN spend_count n ON n.cap_id = k.id AND n.scope = {SCOPE}
    WHERE {COSTS}
    ORDER BY t.place
    """  # noqa: S608 - the conditions are constants
)

COUNT = text(
    f"""
    INSERT INTO spend_count (cap_id, scope, spent_minor, pieces)
    SELECT k.id, {SCOPE}, sum(d.cost_minor), count(*)
    FROM dispatch d
    JOIN dispatch_source c ON c.id = d.source_id
    JOIN spend_cap k ON {CONCERNS}
    WHERE d.id = ANY(cast(:ids AS uuid[])) AND d.cost_minor > 0
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (cap_id, scope) DO UPDATE SET
        spent_minor = spend_count.spent_minor + excluded.spent_minor, pieces = spend_count.pieces + excluded.pieces
    """  # noqa: S608 - the conditions are constants
)

NOTE_REACHED = text(
    f"""
    UPDATE spend_cap SET reached_at = :now
    WHERE reached_at IS NULL AND id IN (
        SELECT k.id FROM dispatch d
        JOIN dispatch_source c ON c.id = d.source_id
        JOIN spend_cap k ON {CONCERNS}
        LEFT JOIN spend_count n ON n.cap_id = k.id AND n.scope = {SCOPE}
        WHERE d.id = ANY(cast(:ids AS uuid[])) AND coalesce(n.spent_minor, 0) + d.cost_minor > k.limit_minor)
    RETURNING id
    """  # noqa: S608 - the conditions are constants
)

# What was spent before there was a cap counts; later periods begin at nothing.
SPENT_SO_FAR = text(
    f"""
    INSERT INTO spend_count (cap_id, scope, spent_minor, pieces)
    SELECT k.id, {SCOPE}, sum(d.cost_minor), count(*)
    FROM spend_cap k
    JOIN dispatch_source c ON c.channel = k.channel
    JOIN dispatch d ON d.source_id = c.id AND {CONCERNS}
    WHERE k.id = :cap_id AND d.cost_minor > 0 AND d.handed_over_at IS NOT NULL
      AND (k.period = 'campaign' OR d.handed_over_at >= CASE k.period WHEN 'day' THEN cast(:day_start AS timestamptz) ELSE cast(:month_start AS timestamptz) END)
    GROUP BY 1, 2
    """  # noqa: S608 - the conditions are constants
)
