"""The statements by which senders and people share what they know of relays and domains."""

from sqlalchemy import text

CHANGED = text("UPDATE routing SET revision = revision + 1")

STANDING = text(
    """
    SELECT r.revision,
        (SELECT count(DISTINCT sender) FROM relay_report WHERE told_at > :since AND sender <> :me) AS others
    FROM routing r
    """
)
"""Whether the routes have changed, and how many other senders share the limits."""

ANY_RELAY = "SELECT EXISTS (SELECT FROM relay WHERE is_active)"

TELL = text(
    """
    INSERT INTO relay_report (relay_id, sender, state, since, last_answer, connections, waiting, told_at)
    SELECT id, :me, state, since, answer, connections, waiting, :now
    FROM jsonb_to_recordset(cast(:relays AS jsonb))
        AS t (id uuid, state text, since timestamptz, answer text, connections int, waiting int)
    ON CONFLICT (relay_id, sender) DO UPDATE SET state = excluded.state, since = excluded.since,
        last_answer = excluded.last_answer, connections = excluded.connections, waiting = excluded.waiting,
        told_at = excluded.told_at
    """
)
FORGET_GONE = text(
    """
    DELETE FROM relay_report WHERE told_at < :long_ago
        OR (sender = :me AND relay_id <> ALL(cast(:relays AS uuid[])))
    """
)

CLOSE = text(
    """
    INSERT INTO slow_domain (lane, since, closed_until, closings, last_answer)
    SELECT lane, :now, until, closings, answer
    FROM jsonb_to_recordset(cast(:lanes AS jsonb)) AS t (lane text, until timestamptz, closings int, answer text)
    ORDER BY lane
    ON CONFLICT (lane) DO UPDATE SET closed_until = greatest(slow_domain.closed_until, excluded.closed_until),
        closings = excluded.closings, last_answer = excluded.last_answer
    """
)
OPEN = text(
    "DELETE FROM slow_domain WHERE lane = ANY(cast(:lanes AS text[])) OR closed_until < :long_ago"
)

WAITING = text(
    "SELECT count(*) FROM dispatch WHERE state = 'planned' AND rule IN ('waits_for_domain', 'waits_for_relay')"
)

FOR_RELAY, FOR_DOMAIN = "waits_for_relay", "waits_for_domain"
"""The rules by which messages wait here."""
