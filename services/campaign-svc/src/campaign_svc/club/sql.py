"""Statements of the points ledger: each works on a whole batch, and books only the difference to what is booked."""

from sqlalchemy import text

PAY = text(
    """
    INSERT INTO club_order AS held
        (order_id, person_id, merged_id, paid_minor, minor_per_point, earn_pct, paid_at, paid_version)
    SELECT told.order_id, coalesce(a.known_id, told.person_id), a.merged_id, told.paid_minor, r.minor_per_point,
        coalesce(reached.earn_pct, 100), told.at, told.version
    FROM unnest(cast(:orders AS uuid[]), cast(:people AS uuid[]), cast(:amounts AS bigint[]),
                cast(:currencies AS text[]), cast(:moments AS timestamptz[]), cast(:versions AS int[]))
        AS told (order_id, person_id, paid_minor, currency, at, version)
    JOIN club_rules r ON r.currency = told.currency
    LEFT JOIN person_alias a ON a.merged_id = told.person_id AND a.known_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT cast(t.one ->> 'earn_pct' AS int) AS earn_pct FROM jsonb_array_elements(r.tiers) AS t (one)
        WHERE cast(t.one ->> 'from_points' AS int) <= (
            SELECT coalesce(sum(e.points), 0) FROM points_entry e
            WHERE e.person_id = coalesce(a.known_id, told.person_id) AND e.order_id IS NOT NULL
              AND e.at > told.at - interval '365 days')
        ORDER BY cast(t.one ->> 'from_points' AS int) DESC LIMIT 1) AS reached ON true
    WHERE EXISTS (SELECT FROM member m WHERE m.person_id = coalesce(a.known_id, told.person_id)
                    AND m.joined_at <= told.at AND (m.left_at IS NULL OR m.left_at > told.at))
    ORDER BY told.order_id
    ON CONFLICT (order_id) DO UPDATE SET paid_minor = excluded.paid_minor, minor_per_point = excluded.minor_per_point,
        earn_pct = excluded.earn_pct, paid_at = excluded.paid_at, paid_version = excluded.paid_version
      WHERE held.paid_at IS NULL AND held.paid_version < excluded.paid_version
    """
)
UNPAY = text(
    """
    INSERT INTO club_order AS held (order_id, person_id, merged_id, paid_version)
    SELECT told.order_id, coalesce(a.known_id, told.person_id), a.merged_id, told.version
    FROM unnest(cast(:orders AS uuid[]), cast(:people AS uuid[]), cast(:versions AS int[]))
        AS told (order_id, person_id, version)
    LEFT JOIN person_alias a ON a.merged_id = told.person_id AND a.known_id IS NOT NULL
    WHERE EXISTS (SELECT FROM member m WHERE m.person_id = coalesce(a.known_id, told.person_id))
    ORDER BY told.order_id
    ON CONFLICT (order_id) DO UPDATE SET paid_minor = 0, minor_per_point = 0, paid_at = NULL,
        paid_version = excluded.paid_version
      WHERE held.paid_version < excluded.paid_version
    """
)
CANCEL = text(
    """
    INSERT INTO club_order AS held (order_id, person_id, merged_id, is_cancelled)
    SELECT told.order_id, coalesce(a.known_id, told.person_id), a.merged_id, true
    FROM unnest(cast(:orders AS uuid[]), cast(:people AS uuid[])) AS told (order_id, person_id)
    LEFT JOIN person_alias a ON a.merged_id = told.person_id AND a.known_id IS NOT NULL
    WHERE EXISTS (SELECT FROM member m WHERE m.person_id = coalesce(a.known_id, told.person_id))
    ORDER BY told.order_id
    ON CONFLICT (order_id) DO UPDATE SET is_cancelled = true WHERE NOT held.is_cancelled
    """
)
KNOW = text(
    """
    INSERT INTO club_order (order_id, person_id, merged_id)
    SELECT told.order_id, coalesce(a.known_id, told.person_id), a.merged_id
    FROM unnest(cast(:orders AS uuid[]), cast(:people AS uuid[])) AS told (order_id, person_id)
    LEFT JOIN person_alias a ON a.merged_id = told.person_id AND a.known_id IS NOT NULL
    WHERE EXISTS (SELECT FROM member m WHERE m.person_id = coalesce(a.known_id, told.person_id))
    ORDER BY told.order_id
    ON CONFLICT (order_id) DO NOTHING
    """
)
"""An order of a member of which something is told before its payment."""
RETURN = text(
    """
    UPDATE club_order o SET returned_minor = greatest(o.returned_minor, told.returned_minor)
    FROM (SELECT * FROM unnest(cast(:orders AS uuid[]), cast(:amounts AS bigint[])) AS t (order_id, returned_minor)
          ORDER BY order_id) AS told
    WHERE o.order_id = told.order_id RETURNING o.order_id
    """
)
SETTLE = text(
    """
    INSERT INTO points_entry (id, person_id, merged_id, kind, points, order_id, reason, by, at, expires_at)
    SELECT new.id, due.person_id, due.merged_id, CASE WHEN due.points > 0 THEN 'earned' ELSE 'taken_back' END,
        due.points, due.order_id, CASE WHEN due.points > 0 THEN 'paid' WHEN due.is_cancelled THEN 'cancelled'
            WHEN due.paid_at IS NULL THEN 'unpaid' ELSE 'returned' END,
        :by, :now, CASE WHEN due.points > 0 THEN due.paid_at + make_interval(days => due.expires_after_days) END
    FROM (
        SELECT o.order_id, o.person_id, o.merged_id, o.is_cancelled, o.paid_at, r.expires_after_days,
            (CASE WHEN o.is_cancelled OR o.minor_per_point = 0 THEN 0
                  ELSE greatest(0, o.paid_minor - o.returned_minor) * o.earn_pct / (100 * o.minor_per_point) END)
            - coalesce((SELECT sum(e.points) FROM points_entry e WHERE e.order_id = o.order_id), 0) AS points
        FROM club_order o CROSS JOIN club_rules r WHERE o.order_id = ANY(cast(:orders AS uuid[]))
    ) AS due
    JOIN unnest(cast(:orders AS uuid[]), cast(:ids AS uuid[])) AS new (order_id, id) ON new.order_id = due.order_id
    WHERE due.points <> 0
    """
)
LOCK_ORDERS = text(
    "SELECT order_id FROM club_order WHERE order_id = ANY(cast(:orders AS uuid[])) ORDER BY order_id FOR UPDATE"
)
EXPIRING = text(
    """
    WITH moved AS (
        UPDATE club_rules SET expired_until = :now WHERE expired_until < :now RETURNING old.expired_until AS since
    )
    SELECT DISTINCT e.person_id FROM points_entry e, moved WHERE e.expires_at > moved.since AND e.expires_at <= :now
    """
)
EXPIRED = text(
    """
    SELECT lots.person_id, lots.points - coalesce(used.points, 0) AS points
    FROM (
        SELECT e.person_id, sum(e.points + coalesce(back.points, 0)) AS points
        FROM points_entry e
        LEFT JOIN LATERAL (SELECT sum(b.points) AS points FROM points_entry b
                           WHERE b.order_id = e.order_id AND b.kind = 'taken_back') AS back ON e.kind = 'earned'
        WHERE e.person_id = ANY(cast(:people AS uuid[])) AND e.points > 0 AND e.expires_at <= :now GROUP BY e.person_id
    ) AS lots
    LEFT JOIN LATERAL (SELECT -sum(u.points) AS points FROM points_entry u
                       WHERE u.person_id = lots.person_id AND u.points < 0 AND u.kind <> 'taken_back') AS used ON true
    WHERE lots.points > coalesce(used.points, 0) ORDER BY lots.person_id
    """
)
RISEN = text(
    """
    SELECT e.person_id, min(m.number) AS number, coalesce(sum(e.points), 0) AS balance,
        coalesce(sum(e.points) FILTER (WHERE e.order_id IS NOT NULL
            AND e.at > cast(:now AS timestamptz) - interval '365 days'), 0) AS year_points,
        coalesce(sum(e.points) FILTER (WHERE e.id = ANY(cast(:entries AS uuid[]))), 0) AS fresh
    FROM points_entry e
    JOIN (SELECT person_id, min(number) AS number FROM member WHERE left_at IS NULL GROUP BY person_id) AS m
        ON m.person_id = e.person_id
    WHERE e.person_id IN (SELECT person_id FROM points_entry WHERE id = ANY(cast(:entries AS uuid[])) AND points > 0)
    GROUP BY e.person_id ORDER BY e.person_id
    """
)
"""Members who have earned by these entries, with what they had."""
SOON = text(
    "SELECT DISTINCT person_id FROM points_entry WHERE points > 0 AND expires_at > :since AND expires_at <= :until"
)
NUMBERS = text(
    """
    SELECT person_id, min(number) AS number FROM member
    WHERE person_id = ANY(cast(:people AS uuid[])) AND left_at IS NULL GROUP BY person_id ORDER BY person_id
    """
)
BOOK = text(
    """
    INSERT INTO points_entry (id, person_id, kind, points, reason, by, at, expires_at)
    SELECT id, person_id, :kind, points, :reason, :by, :now, cast(:expires_at AS timestamptz)
    FROM unnest(cast(:ids AS uuid[]), cast(:people AS uuid[]), cast(:points AS bigint[])) AS new (id, person_id, points)
    """
)
MEMBERS = """
    SELECT m.number, m.person_id, m.terms_version, m.joined_at, m.left_at, coalesce(p.full_name, '') AS name,
        coalesce(held.balance, 0) AS balance, coalesce(held.year_points, 0) AS year_points
    FROM member m
    LEFT JOIN person_mark p ON p.person_id = m.person_id
    LEFT JOIN LATERAL (
        SELECT sum(e.points) AS balance,
            sum(e.points) FILTER (WHERE e.order_id IS NOT NULL AND e.at > cast(:now AS timestamptz) - interval '365 days')
                AS year_points
        FROM points_entry e WHERE e.person_id = m.person_id) AS held ON true
"""
BY_NUMBER = text(f"{MEMBERS} WHERE m.number = :number")
BY_PHONE = text(
    f"{MEMBERS} WHERE m.left_at IS NULL AND p.phone = ANY(cast(:phones AS text[])) ORDER BY m.number LIMIT :limit"
)
BY_NAME = text(
    f"{MEMBERS} WHERE m.left_at IS NULL AND p.name_key LIKE :name ORDER BY p.name_key, m.number LIMIT :limit"
)
