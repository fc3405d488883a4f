"""The statements of the hours."""

from sqlalchemy import text

ASK_AGAIN = text(
    """
    WITH again AS (
        UPDATE dispatch SET next_at = :now
        WHERE state = 'planned' AND channel = :channel AND rule IN ('waits_for_hours', 'waits_for_wished_hours')
        RETURNING id
    )
    SELECT pg_notify('kantis_dispatch', '') FROM again LIMIT 1
    """
)
