"""The statements of calls: who may be called, and who is being called by whom.

A call is claimed by whoever calls, for as long as their lease holds; the gate (`dispatch/pulled.py`) decides in that moment.
"""

from sqlalchemy import text

from kantis_contracts.values import Channel
from messaging_svc.dispatch.gate import ADDRESS, MAY_SEND
from messaging_svc.dispatch.pulled import pulled
from messaging_svc.phone import spared

CALLS = pulled(
    Channel.PHONE,
    address=f"coalesce(d.to_phone, {ADDRESS})",
    spares=spared.RULE,
    joins=spared.ROLES,
)
"""The gate of calls: it asks as well in which roles people may be called, and who else has their number."""

CANDIDATES = text(
    f"""
    SELECT d.id, d.person_id, d.is_marketing FROM dispatch d
    LEFT JOIN dispatch_source c ON c.id = d.source_id
    LEFT JOIN person_card p ON p.person_id = d.person_id
    WHERE d.state = 'planned' AND d.channel = 'phone' AND {MAY_SEND} AND d.id <> ALL (cast(:passed AS uuid[]))
      AND (d.next_at <= :now
           OR (NOT :keeps_hours AND d.rule IN ('waits_for_hours', 'waits_for_wished_hours')))
      AND (cast(:campaign AS uuid) IS NULL OR coalesce(c.campaign_id, c.asker_id) = :campaign)
      AND (:language = '' OR coalesce(d.language, p.language) = :language)
    ORDER BY (d.attempts > 0) DESC, d.priority DESC, d.next_at, d.id LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    """  # noqa: S608 - the conditions are constants
)
"""What may be taken next: what has been begun first, then by priority. Nobody else is deciding on it."""

LAPSE = text(
    """
    UPDATE call SET state = 'lapsed', ended_at = :now
    WHERE message_id = ANY (cast(:messages AS uuid[])) AND state = 'open'
    """
)
"""Whoever held these before is too late: somebody else has them now."""

GIVE_BACK = text(
    """
    UPDATE dispatch d SET state = 'planned', rule = '', claimed_by = NULL, claimed_until = NULL,
        next_at = greatest(d.next_at, :at)
    FROM call l
    WHERE l.id = ANY (cast(:calls AS uuid[])) AND d.id = l.message_id AND d.fence = l.fence AND d.state = 'claimed'
    """
)
"""Nobody was called: the next caller gets them."""

SETTLE = text(
    """
    UPDATE dispatch d SET state = t.state, rule = CASE WHEN t.rule = '' THEN d.rule ELSE t.rule END,
        reason = t.reason, attempts = d.attempts + 1, handed_over_at = coalesce(d.handed_over_at, t.taken_at),
        claimed_by = NULL, claimed_until = NULL, is_announced = false,
        next_at = CASE WHEN t.state = 'planned' THEN least(t.next_at, coalesce(d.not_after, t.next_at)) ELSE d.next_at END,
        settled_at = CASE WHEN t.state = 'planned' THEN NULL ELSE cast(:now AS timestamptz) END
    FROM unnest(cast(:ids AS uuid[]), cast(:fences AS bigint[]), cast(:states AS text[]), cast(:rules AS text[]),
        cast(:reasons AS text[]), cast(:taken AS timestamptz[]), cast(:next AS timestamptz[]))
        AS t (id, fence, state, rule, reason, taken_at, next_at)
    WHERE d.id = t.id AND d.fence = t.fence AND d.state IN ('claimed', 'planned')
    RETURNING d.id
    """
)
"""What became of calls. An outcome that comes after the lease still counts while nobody else has taken the call."""

LISTS = text(
    """
    SELECT coalesce(c.campaign_id, c.asker_id) AS campaign_id, max(c.campaign_name) AS campaign_name, count(*) AS people,
        count(*) FILTER (WHERE d.state = 'planned' AND d.rule = 'ready' AND d.next_at <= :now) AS ready,
        count(*) FILTER (WHERE d.state = 'planned' AND d.attempts > 0 AND d.next_at > :now) AS later,
        count(*) FILTER (WHERE d.state = 'planned' AND d.attempts = 0
            AND NOT (d.rule = 'ready' AND d.next_at <= :now)) AS waiting,
        count(*) FILTER (WHERE d.state = 'claimed') AS taken,
        count(*) FILTER (WHERE d.state = 'accepted') AS reached,
        count(*) FILTER (WHERE d.state = 'failed') AS not_reached,
        count(*) FILTER (WHERE d.state = 'suppressed') AS spared,
        count(*) FILTER (WHERE d.state = 'expired') AS expired,
        min(d.next_at) FILTER (WHERE d.state = 'planned') AS next_at
    FROM dispatch d JOIN dispatch_source c ON c.id = d.source_id
    WHERE d.channel = 'phone' AND c.channel = 'phone' AND (cast(:campaign AS uuid) IS NULL OR coalesce(c.campaign_id, c.asker_id) = :campaign)
      AND (cast(:after AS uuid) IS NULL OR coalesce(c.campaign_id, c.asker_id) > :after)
    GROUP BY 1 ORDER BY 1 LIMIT :limit
    """
)

REASONS = text(
    """
    SELECT d.state, CASE WHEN d.state = 'accepted' THEN d.reason ELSE d.rule END AS reason, count(*) AS people
    FROM dispatch d JOIN dispatch_source c ON c.id = d.source_id
    WHERE d.channel = 'phone' AND c.channel = 'phone' AND coalesce(c.campaign_id, c.asker_id) = :campaign
    GROUP BY 1, 2 ORDER BY 1, 2
    """
)
"""Why people of a list are where they are; `less_relevant` are the calls that were spared."""
