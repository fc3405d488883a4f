"""The statements of holds and spikes."""

from sqlalchemy import text

TALLY = text(
    """
    INSERT INTO launch_tally (launch_id, minute, sent, bounced, complained)
    SELECT * FROM unnest(cast(:launches AS uuid[]), cast(:minutes AS timestamptz[]), cast(:sent AS int[]),
        cast(:bounced AS int[]), cast(:complained AS int[]))
    ON CONFLICT (launch_id, minute) DO UPDATE SET sent = launch_tally.sent + excluded.sent,
        bounced = launch_tally.bounced + excluded.bounced, complained = launch_tally.complained + excluded.complained
    """
)

SIGNAL = text(
    """
    WITH new AS (
        INSERT INTO launch_signal (message_id, kind, at)
        SELECT DISTINCT ON (id) id, :kind, at FROM unnest(cast(:ids AS uuid[]), cast(:times AS timestamptz[])) AS t (id, at)
        ORDER BY id, at
        ON CONFLICT DO NOTHING RETURNING message_id, at
    )
    SELECT d.origin_id, new.at FROM new JOIN dispatch d ON d.id = new.message_id WHERE d.origin = 'campaign'
    """
)

PAUSE = text(
    """
    WITH counted AS (
        SELECT t.launch_id, k.kind, k.rate_pct, k.window_minutes, sum(t.sent) AS messages,
            sum(CASE k.kind WHEN 'bounce' THEN t.bounced ELSE t.complained END) AS bad
        FROM launch_tally t
        CROSS JOIN spike_limit k
        LEFT JOIN launch_hold l ON l.launch_id = t.launch_id
        WHERE t.launch_id = ANY(cast(:launches AS uuid[])) AND l.spiked_at IS NULL
          AND coalesce(l.state, 'running') <> 'stopped'
          AND t.minute > greatest(cast(:now AS timestamptz) - make_interval(mins => k.window_minutes), l.counts_from)
        GROUP BY t.launch_id, k.kind
        HAVING sum(t.sent) >= k.min_messages
    ), spiked AS (
        SELECT DISTINCT ON (launch_id) * FROM counted WHERE bad * 100 > rate_pct * messages ORDER BY launch_id, kind
    )
    INSERT INTO launch_hold (launch_id, campaign_id, version, state, reason, changed_at, spiked_at, spike)
    SELECT s.launch_id, (SELECT c.campaign_id FROM dispatch_source c WHERE c.launch_id = s.launch_id LIMIT 1), 0,
        'running', '', :now, :now, jsonb_build_object('kind', kind, 'count', bad, 'of_messages', messages,
            'limit_pct', rate_pct, 'window_minutes', window_minutes)
    FROM spiked s
    ON CONFLICT (launch_id) DO UPDATE SET spiked_at = excluded.spiked_at, spike = excluded.spike
        WHERE launch_hold.spiked_at IS NULL
    RETURNING launch_id, campaign_id, spiked_at, spike
    """
)

THEIRS = """source_id IN (SELECT id FROM dispatch_source WHERE launch_id = ANY(cast(:launches AS uuid[])))
    AND (:is_end OR rule = 'waits_for_resume')"""
"""What waits of these launches, or with their end all that is left of them."""
