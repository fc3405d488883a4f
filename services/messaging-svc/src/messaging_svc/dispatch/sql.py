"""The statements of the ledger whose locks and order matter, as text; each is one step of a message's life."""

from sqlalchemy import text

from messaging_svc.caps import conditions as caps
from messaging_svc.dispatch.gate import (
    ADDRESS,
    ADDRESS_HASH,
    ADVERTISED,
    MAY_SEND,
    PERMISSION,
    SELLS_IN_NOTICE,
    STILL_WANTED,
    TOLD_ALREADY,
    WISHES,
    WITHDRAWALS,
)
from messaging_svc.dispatch.letters import Item
from messaging_svc.holds import conditions as holds
from messaging_svc.hours import conditions as hours
from messaging_svc.openings.usecases import SEEN

NOTIFY_CHANNEL = "kantis_dispatch"

_OF_THE_CARD = frozenset({"email", "language", "preferred_name"})

_CLAIM = f"""
    WITH due AS (
        SELECT * FROM dispatch WHERE state = 'planned' AND next_at <= :now {{which}}
            AND channel = ANY(cast(:channels AS text[])) AND {MAY_SEND}
        ORDER BY is_marketing, next_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), verdict AS MATERIALIZED (
        SELECT d.id, coalesce(d.to_email, d.to_phone, {ADDRESS}) AS email,
            coalesce(d.language, p.language, 'en') AS language,
            coalesce(d.preferred_name, p.preferred_name, '') AS preferred_name,
            {PERMISSION} AS permission,
            CASE
                WHEN d.not_after <= :now THEN 'expired'
                WHEN {holds.RULE} IS NOT NULL THEN {holds.RULE}
                WHEN d.channel <> :channel THEN 'channel_not_available'
                WHEN p.is_erased THEN 'erased'
                WHEN d.builtin = '' AND d.template_version_id IS NULL THEN 'template_unknown'
                WHEN coalesce(d.to_email, d.to_phone) IS NULL AND (p.person_id IS NULL OR EXISTS (SELECT FROM person_alias a
                        WHERE a.merged_id = d.person_id AND a.known_id IS NOT NULL)) THEN
                    CASE WHEN d.planned_at + make_interval(secs => :person_grace) <= :now
                         THEN 'person_unknown' ELSE 'waits_for_person' END
                WHEN coalesce(d.to_email, d.to_phone, {ADDRESS}) IS NULL THEN 'no_address'
                WHEN d.origin = 'reply' AND s.reason = 'hard_bounce' AND coalesce(d.to_email, d.to_phone) = {ADDRESS}
                    THEN 'address_suppressed'
                {SELLS_IN_NOTICE}
                {hours.OF_SERVICE}
                {ADVERTISED}
                ELSE coalesce({hours.RULE}, {caps.FREQUENCY_RULE},
                    CASE WHEN {caps.SPENT} THEN 'waits_for_budget' END, 'allowed')
            END AS rule,
            p.not_before, greatest(h.paused_until, r.paused_until) AS paused_until, a.opens_at,
            {caps.FREQUENCY_FACTS} AS full_cap
        FROM due d
        LEFT JOIN person_card p ON p.person_id = d.person_id
        LEFT JOIN permission_card m
            ON m.person_id = d.person_id AND m.channel = d.channel AND m.purpose = d.purpose
        LEFT JOIN suppression s ON s.address_hash = {ADDRESS_HASH}
        LEFT JOIN dispatch_source c ON c.id = d.source_id
        {holds.HOLD}
        {WISHES}
        {hours.HOURS}
        CROSS JOIN LATERAL (SELECT {hours.OPENS_AT} AS opens_at OFFSET 0) a
        {caps.FULL}
        {WITHDRAWALS}
    ), decided AS MATERIALIZED (
        SELECT *, CASE
            WHEN rule = 'allowed' THEN 'claimed'
            WHEN rule = 'expired' THEN 'expired'
            WHEN rule LIKE 'waits\\_%' THEN 'planned'
            WHEN rule IN ('channel_not_available', 'template_unknown', 'person_unknown') THEN 'failed'
            ELSE 'suppressed' END AS next_state,
            CASE rule
                WHEN 'waits_for_hours' THEN opens_at
                WHEN 'waits_for_wished_hours' THEN opens_at
                WHEN 'waits_for_budget' THEN cast(:tomorrow AS timestamptz)
                WHEN 'waits_for_resume' THEN :now + interval '1 day'
            END AS waits_until
        FROM verdict
    )
    UPDATE dispatch d SET
        state = n.next_state, rule = n.rule, permission = n.permission,
        reason = CASE n.rule WHEN 'not_before' THEN 'not before ' || n.not_before
            WHEN 'paused' THEN 'until ' || to_char(n.paused_until AT TIME ZONE 'UTC', 'YYYY-MM-DD')
            WHEN 'expired' THEN CASE WHEN d.rule LIKE 'waits\\_%' THEN d.rule ELSE d.reason END
            ELSE d.reason END,
        decisions = CASE WHEN n.rule IN ('allowed', d.rule) THEN d.decisions
            ELSE d.decisions || jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('rule', n.rule, 'at', :now,
                'until', n.waits_until, 'facts', CASE WHEN n.rule IN ('frequency_cap', 'waits_for_turn')
                    THEN n.full_cap END))) END,
        claimed_by = CASE WHEN n.next_state = 'claimed' THEN cast(:me AS uuid) END,
        claimed_until = CASE WHEN n.next_state = 'claimed' THEN cast(:until AS timestamptz) END,
        claimed_at = CASE WHEN n.next_state = 'claimed' THEN cast(:now AS timestamptz) ELSE claimed_at END,
        fence = d.fence + CASE WHEN n.next_state = 'claimed' THEN 1 ELSE 0 END,
        settled_at = CASE WHEN n.next_state IN ('claimed', 'planned') THEN NULL ELSE cast(:now AS timestamptz) END,
        next_at = CASE WHEN n.next_state = 'planned' THEN least(d.not_after, coalesce(n.waits_until, least(
            :now + make_interval(secs => least(60, 1 + extract(epoch FROM cast(:now AS timestamptz) - d.planned_at))),
            d.planned_at + make_interval(secs => CASE n.rule WHEN 'waits_for_person' THEN :person_grace
                WHEN 'waits_for_permission' THEN :permission_grace END))))
            ELSE d.next_at END
    FROM decided n
    WHERE d.id = n.id
    RETURNING {", ".join(("n." if name in _OF_THE_CARD else "d.") + name for name in Item._fields)}, d.state, d.rule,
        {SEEN}
    """  # noqa: S608 - the conditions are constants above

CLAIM = text(_CLAIM.replace("{which}", ""))
"""Claim what is due and decide on it in one statement: the gate."""

CLAIM_URGENT = text(_CLAIM.replace("{which}", "AND NOT is_marketing"))
"""The same for what somebody waits for, while a campaign fills the sender."""

LOCK_PERSONS = text(
    """
    SELECT person_id FROM person_card WHERE person_id = ANY(cast(:persons AS uuid[]))
    ORDER BY person_id FOR NO KEY UPDATE SKIP LOCKED
    """
)
"""Held until the hand-over is committed; a withdrawal locks the same row, so that one of the two comes first.

So does another hand-over to the same person: what has filled a cap is committed when the next one is asked for.
"""

MARK = text(
    f"""
    UPDATE dispatch d SET state = 'handed_over', handed_over_at = :now, claimed_until = :until,
        attempts = d.attempts + 1
    FROM unnest(cast(:ids AS uuid[]), cast(:fences AS bigint[]), cast(:emails AS text[]), cast(:ahead AS int[]))
        AS t (id, fence, email, ahead)
    WHERE d.id = t.id AND d.fence = t.fence
      AND CASE WHEN d.state = 'claimed' AND d.claimed_by = :me AND d.claimed_until > :now THEN true ELSE false END
      AND (d.not_after IS NULL OR d.not_after > :now)
      AND {MAY_SEND}
      AND (SELECT p.is_erased FROM person_card p WHERE p.person_id = d.person_id) IS NOT TRUE
      AND (NOT d.is_marketing OR (
          NOT {TOLD_ALREADY}
          AND NOT {holds.HELD}
          AND d.person_id = ANY(cast(:locked AS uuid[]))
          AND EXISTS (
              SELECT FROM person_card p
              JOIN permission_card m ON m.person_id = p.person_id AND m.channel = d.channel AND m.purpose = d.purpose
              LEFT JOIN dispatch_source c ON c.id = d.source_id
              {WISHES}
              {hours.HOURS}
              WHERE p.person_id = d.person_id AND {ADDRESS} = t.email AND m.state = 'granted'
                AND NOT EXISTS (SELECT FROM suppression s WHERE s.address_hash = {ADDRESS_HASH})
                AND {STILL_WANTED}
                AND {hours.OPENS_AT} <= :now
                AND {caps.NOT_FULL}
          )))
    RETURNING d.id
    """  # noqa: S608 - the conditions are constants above
)
"""Hand over what is still ours and still allowed; runs after LOCK_PERSONS, with a snapshot of its own."""

GIVE_BACK = text(
    """
    UPDATE dispatch d SET state = 'planned', claimed_by = NULL, claimed_until = NULL, next_at = :at
    FROM unnest(cast(:ids AS uuid[]), cast(:fences AS bigint[])) AS t (id, fence)
    WHERE d.id = t.id AND d.fence = t.fence AND d.state = 'claimed' AND d.claimed_by = :me
    """
)
"""Claimed and not handed over: the next claim decides anew."""

RECORD = text(
    """
    UPDATE dispatch d SET state = t.state, reason = t.reason,
        rule = CASE WHEN t.rule = '' THEN d.rule ELSE t.rule END,
        attempts = d.attempts - CASE WHEN t.is_spared THEN 1 ELSE 0 END,
        next_at = coalesce(t.next_at, d.next_at), claimed_by = NULL, claimed_until = NULL,
        settled_at = CASE WHEN t.state = 'planned' THEN NULL ELSE cast(:now AS timestamptz) END,
        is_announced = cast(:is_told AS boolean) AND t.state <> 'planned'
    FROM unnest(cast(:ids AS uuid[]), cast(:fences AS bigint[]), cast(:states AS text[]), cast(:rules AS text[]),
        cast(:reasons AS text[]), cast(:next_ats AS timestamptz[]), cast(:spared AS boolean[]))
        AS t (id, fence, state, rule, reason, next_at, is_spared)
    WHERE d.id = t.id AND d.fence = t.fence
      AND CASE WHEN d.state IN ('claimed', 'handed_over', 'in_doubt') THEN true ELSE false END
    RETURNING d.id, d.origin, d.origin_id, d.piece_id, d.source_id, d.person_id, d.channel, d.state, d.rule, d.reason,
        d.settled_at
    """
)
"""What the mail server said. An answer that comes after the lease still counts while nobody else has decided.

The states stand in a CASE, out of the planner's sight: by statistics from before a launch next to no message is on its
way, and for so few it reads the whole ledger, and all outcomes anew for each of them (twenty times as long).
"""

RECOVER = text(
    """
    WITH late AS (
        SELECT id FROM dispatch WHERE state IN ('claimed', 'handed_over') AND claimed_until <= :now
        ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    UPDATE dispatch d SET
        state = CASE WHEN d.state = 'handed_over' AND (d.is_marketing OR d.channel = 'sms') THEN 'in_doubt'
            ELSE 'planned' END,
        rule = CASE WHEN d.state = 'handed_over' AND (d.is_marketing OR d.channel = 'sms') THEN 'no_answer'
            ELSE d.rule END,
        reason = CASE WHEN d.state = 'handed_over' THEN 'handed over, and no answer was recorded' ELSE d.reason END,
        settled_at = CASE WHEN d.state = 'handed_over' AND (d.is_marketing OR d.channel = 'sms')
            THEN cast(:now AS timestamptz) END,
        next_at = :now, claimed_by = NULL, claimed_until = NULL
    FROM late WHERE d.id = late.id
    RETURNING d.state = 'in_doubt'
    """
)
"""Leases that ran out: marketing handed over is in doubt for ever, and so is what costs money each time it is sent."""

ANNOUNCE = text(
    """
    WITH ended AS (
        SELECT id FROM dispatch WHERE settled_at IS NOT NULL AND NOT is_announced
        ORDER BY settled_at, id LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    UPDATE dispatch d SET is_announced = true FROM ended
    WHERE d.id = ended.id
    RETURNING d.id, d.origin, d.origin_id, d.piece_id, d.source_id, d.person_id, d.channel, d.state, d.rule, d.reason, d.settled_at
    """
)
"""Ends that nobody outside has been told of."""

COUNT_IN_DOUBT = "SELECT count(*) FROM dispatch WHERE state = 'in_doubt'"

CAPS_BEFORE = text(
    """
    SELECT k.whose, k.channel, k.max_messages, k.window_seconds, coalesce(u.ids, '{}') AS filled_by
    FROM dispatch d
    LEFT JOIN wish_card h ON h.person_id = d.person_id
    CROSS JOIN LATERAL (
        SELECT 'company' AS whose, channel, max_messages, window_seconds FROM frequency_cap
        WHERE channel IN (d.channel, '')
        UNION ALL
        SELECT 'person', '', h.per_month, :month WHERE h.per_month IS NOT NULL
    ) k
    CROSS JOIN LATERAL (
        SELECT array_agg(x.id ORDER BY x.handed_over_at, x.id) AS ids FROM dispatch x
        WHERE x.person_id = d.person_id AND x.is_marketing AND x.id <> d.id AND k.channel IN ('', x.channel)
          AND x.state IN ('handed_over', 'accepted', 'in_doubt')
          AND x.handed_over_at <= coalesce(d.handed_over_at, d.settled_at, :now)
          AND x.handed_over_at > coalesce(d.handed_over_at, d.settled_at, :now)
              - make_interval(secs => k.window_seconds)
    ) u
    WHERE d.id = :id AND d.is_marketing
    ORDER BY k.whose, k.channel, k.window_seconds
    """
)
"""The caps that concern a message, each with the messages that had filled it before."""

HELD_SOURCES = text(
    """
    SELECT c.id FROM dispatch_source c JOIN launch_hold l ON l.launch_id = c.launch_id
    WHERE c.id = ANY(cast(:sources AS uuid[])) AND (l.state <> 'running' OR l.spiked_at IS NOT NULL)
    """
)
"""Of these cells, those whose launch must not go on."""

HOLD_OF = text(
    """
    SELECT CASE WHEN state = 'running' AND spiked_at IS NOT NULL THEN 'paused' ELSE state END AS state, reason,
        coalesce(spiked_at, changed_at) AS since, spike
    FROM launch_hold WHERE launch_id = :launch_id AND (state <> 'running' OR spiked_at IS NOT NULL)
    """
)

# What a dead sender left, by its journal: its claims, what it had not begun, what was answered and not recorded.
FREE_CLAIMED = text(
    """
    UPDATE dispatch SET state = 'planned', claimed_by = NULL, claimed_until = NULL, next_at = :now
    WHERE claimed_by = :sender AND state = 'claimed'
    """
)
NOT_BEGUN = text(
    """
    UPDATE dispatch d SET state = 'planned', claimed_by = NULL, claimed_until = NULL, next_at = :now,
        attempts = d.attempts - CASE WHEN t.is_spared THEN 1 ELSE 0 END
    FROM unnest(cast(:ids AS uuid[]), cast(:fences AS bigint[]), cast(:spared AS boolean[]))
        AS t (id, fence, is_spared)
    WHERE d.id = t.id AND d.fence = t.fence AND d.claimed_by = :sender AND d.state = 'handed_over'
    """
)
ANSWERED = text(
    """
    UPDATE dispatch d SET state = 'accepted', claimed_by = NULL, claimed_until = NULL, settled_at = :now,
        reason = 'it was taken just before its sender died'
    FROM unnest(cast(:ids AS uuid[]), cast(:fences AS bigint[])) AS t (id, fence)
    WHERE d.id = t.id AND d.fence = t.fence AND d.claimed_by = :sender AND d.state = 'handed_over'
    """
)
