"""What is told of a step, written and claimed in one statement each."""

from sqlalchemy import text

TELL = text(
    """
    INSERT INTO webhook_delivery (id, webhook_id, person_id, merged_id, body, state, attempts, due_at, problem, made_at)
    SELECT s.id, :webhook_id, s.person_id, s.merged_id, jsonb_build_object(
            'type', cast(:type AS text), 'timestamp', cast(:now AS timestamptz), 'data', jsonb_build_object(
                'step_id', s.id, 'person_id', s.person_id, 'at', s.at, 'because', s.because, 'facts', s.facts,
                'asker', jsonb_build_object('kind', s.asker_kind, 'id', s.asker_id, 'name', s.asker_name,
                                            'version', s.asker_version, 'step', s.step))),
        'waiting', 0, :now, '', :now
    FROM step s WHERE s.id = ANY(:ids) ORDER BY s.id
    ON CONFLICT DO NOTHING
    """
)
# Of each person the earliest that is not done, and of that only what is due: a later one waits for an earlier one, also
# when that is parked.
CLAIM = text(
    """
    UPDATE webhook_delivery d SET attempts = d.attempts + 1, due_at = :until
    FROM (
        SELECT w.id, w.webhook_id FROM webhook_delivery w
        WHERE w.state = 'waiting' AND w.due_at <= :now AND NOT EXISTS (
            SELECT FROM webhook_delivery e
            WHERE e.webhook_id = w.webhook_id AND e.person_id = w.person_id AND e.number < w.number
              AND e.state IN ('waiting', 'parked'))
        ORDER BY w.due_at LIMIT :limit FOR UPDATE SKIP LOCKED) AS due
    JOIN webhook h ON h.id = due.webhook_id
    WHERE d.id = due.id
    RETURNING d.id, d.attempts, d.body, h.url, h.key_id, h.sealed
    """
)
