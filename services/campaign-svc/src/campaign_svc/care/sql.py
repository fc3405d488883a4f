"""The figures of a segment that is cared for: one statement each, over its people."""

from sqlalchemy import TextClause, text

_PEOPLE = """
    WITH people AS (SELECT DISTINCT person_id FROM care_member WHERE segment_id = :segment_id AND is_in)
"""


def _over_people(figures: str) -> TextClause:
    return text(f"{_PEOPLE} {figures}")


_GOT = """, got AS (
        SELECT x.person_id, x.channel FROM piece x JOIN people AS p USING (person_id)
        WHERE x.released_at >= :since AND x.state IN ('released', 'accepted', 'in_doubt')
        UNION ALL
        SELECT s.person_id, s.channel FROM step s JOIN people AS p USING (person_id)
        WHERE s.at >= :since AND s.kind IN ('message', 'call_list')
          AND s.state IN ('requested', 'accepted', 'in_doubt')
    )
"""
"""Whatever was said to them: by campaigns, and by rules, programmes, milestones and the club."""


def _over_messages(figures: str) -> TextClause:
    return text(f"{_PEOPLE} {_GOT} {figures}")


PEOPLE = _over_people("SELECT count(*) FROM people AS p")
RETENTION = _over_people(
    """
    SELECT count(*) AS basis, count(*) FILTER (WHERE stayed) AS good, 0 AS bad FROM (
        SELECT bool_or(o.paid_at >= :since) AS stayed FROM people AS p
        JOIN paid_order o ON o.person_id = p.person_id AND NOT o.is_cancelled
        GROUP BY p.person_id HAVING min(o.paid_at) < :since) AS known
    """
)
REPEAT_PURCHASE = _over_people(
    """
    SELECT count(*) AS basis, count(*) FILTER (WHERE orders > 1) AS good, 0 AS bad FROM (
        SELECT count(*) AS orders FROM people AS p
        JOIN paid_order o ON o.person_id = p.person_id AND NOT o.is_cancelled AND o.paid_at >= :since
        GROUP BY p.person_id) AS buyers
    """
)
REFERRAL = _over_people(
    """
    SELECT (SELECT count(*) FROM people AS p) AS basis, count(*) AS good, 0 AS bad
    FROM referral r JOIN referrer f ON f.code = r.code JOIN people AS p ON p.person_id = f.person_id
    WHERE r.state = 'rewarded' AND r.rewarded_at >= :since
    """
)
MARKS = _over_people(
    """
    SELECT count(*) AS basis, count(*) FILTER (WHERE mark >= :good_from) AS good,
        count(*) FILTER (WHERE mark <= :bad_to) AS bad
    FROM (
        SELECT cast(a.answers ->> (q.one ->> 'key') AS int) AS mark
        FROM survey_answer a JOIN people AS p ON p.person_id = a.person_id
        JOIN survey s ON s.id = a.survey_id CROSS JOIN LATERAL jsonb_array_elements(s.questions) AS q (one)
        WHERE q.one ->> 'kind' = :kind AND a.answers ? (q.one ->> 'key') AND a.answered_at >= :since) AS marks
    """
)
BUDGET = _over_messages(
    """
    SELECT coalesce(sum(got.pieces), 0) AS pieces, count(*) FILTER (WHERE got.pieces > :most) AS people_over,
        count(*) FILTER (WHERE coalesce(got.pieces, 0) >= :most) AS people_full
    FROM people AS p
    LEFT JOIN (SELECT person_id, count(*) AS pieces FROM got GROUP BY person_id) AS got USING (person_id)
    """
)
CHANNELS = _over_messages(
    """
    SELECT got.channel, count(*) AS pieces FROM got GROUP BY got.channel
    """
)
