"""The statements of what sites show."""

from sqlalchemy import text

from kantis_contracts.values import Channel
from messaging_svc.dispatch.gate import STILL_WANTED, WISHES
from messaging_svc.dispatch.pulled import pulled
from messaging_svc.holds import conditions as holds

PAGES = pulled(Channel.WEB, address="''")
"""The gate of what a site shows; whoever looks at it is where it is."""

_VALID = """NOT c.is_off AND coalesce(c.valid_from <= :now, true) AND coalesce(c.valid_to > :now, true)"""
_ORDER = """ORDER BY c.priority DESC, array_position(ARRAY['campaign', 'segment', 'everybody'], c.audience), c.id,
        (t.language = :language) DESC, (t.language = w.default_language) DESC, (t.language = 'en') DESC, t.language
    LIMIT 1"""

FOR_EVERYBODY = text(
    f"""
    SELECT c.id, c.number, c.audience, t.language, t.html
    FROM web_place w
    JOIN web_content c ON c.place_key = w.key AND c.audience = 'everybody'
    JOIN web_text t ON t.content_id = c.id AND t.number = c.number
    WHERE w.key = :place AND {_VALID}
    {_ORDER}
    """  # noqa: S608 - constants
)
"""What somebody sees who is not known."""

FOR_PERSON = text(
    f"""
    WITH who AS (
        SELECT coalesce((SELECT known_id FROM person_alias WHERE merged_id = :person), :person) AS person_id
    )
    SELECT c.id, c.number, c.audience, t.language, t.html, p.person_id, p.preferred_name,
        m.id AS message_id, m.response_code, m.offer
    FROM web_place w
    JOIN web_content c ON c.place_key = w.key
    JOIN web_text t ON t.content_id = c.id AND t.number = c.number
    CROSS JOIN who
    LEFT JOIN person_card p ON p.person_id = who.person_id AND NOT p.is_erased
    LEFT JOIN LATERAL (
        SELECT d.id, d.response_code, s.offer FROM dispatch d JOIN dispatch_source s ON s.id = d.source_id
        WHERE c.audience = 'campaign' AND d.person_id = p.person_id AND d.channel = 'web'
          AND s.campaign_id = c.audience_id
          AND ((d.state = 'planned' AND d.rule = 'ready') OR d.state = 'accepted')
          AND coalesce(d.not_after > :now, true) AND NOT {holds.HELD}
          AND EXISTS (
              SELECT FROM permission_card m LEFT JOIN dispatch_source c ON c.id = d.source_id {WISHES}
              WHERE m.person_id = d.person_id AND m.channel = d.channel AND m.purpose = d.purpose AND m.state = 'granted'
                AND NOT EXISTS (SELECT FROM suppression s WHERE s.address_hash = p.email_hash)
                AND {STILL_WANTED})
        ORDER BY d.id DESC LIMIT 1
    ) m ON true
    WHERE w.key = :place AND {_VALID}
      AND CASE c.audience
          WHEN 'everybody' THEN true
          WHEN 'campaign' THEN m.id IS NOT NULL
          ELSE NOT p.do_not_contact AND NOT EXISTS (
              SELECT FROM withdrawal x
              LEFT JOIN permission_card y ON y.person_id = x.person_id AND y.channel = 'web' AND y.state = 'granted'
              WHERE x.person_id = p.person_id AND x.channel = 'web'
              GROUP BY x.person_id HAVING max(x.withdrawn_at) >= coalesce(max(y.occurred_at), '-infinity')
          ) AND EXISTS (
              SELECT FROM web_member b
              WHERE b.segment_id = c.audience_id AND b.person_id = p.person_id AND b.is_member)
      END
      AND NOT EXISTS (SELECT FROM web_dismissal x WHERE x.content_id = c.id AND x.person_id = who.person_id)
    {_ORDER}
    """  # noqa: S608 - constants
)
"""What a known person sees: by keys alone. What a launch shows them is looked at again, as before any hand-over."""

ACCEPT = text(
    """
    UPDATE dispatch SET state = 'accepted', rule = 'allowed', handed_over_at = :now, settled_at = :now,
        attempts = attempts + 1, reason = :reason, is_announced = false
    WHERE id = :id AND channel = 'web' AND state = 'planned' AND rule = 'ready'
    RETURNING id
    """
)
"""Shown for the first time."""

COUNT = text(
    """
    INSERT INTO web_count (content_id, number, day, kind, times)
    SELECT c.id, :number, :day, :kind, 1 FROM web_content c WHERE c.id = :content AND c.number >= :number
    ON CONFLICT (content_id, number, day, kind) DO UPDATE SET times = web_count.times + 1
    """
)

FIGURES = text(
    """
    SELECT n.content_id, n.number, coalesce(sum(times) FILTER (WHERE kind = 'shown'), 0) AS shown,
        coalesce(sum(times) FILTER (WHERE kind = 'clicked'), 0) AS clicked,
        coalesce(sum(times) FILTER (WHERE kind = 'dismissed'), 0) AS dismissed
    FROM web_count n JOIN web_content c ON c.id = n.content_id
    WHERE c.place_key = :place GROUP BY 1, 2 ORDER BY 1, 2
    """
)
