"""The statements of the ledger whose locks and order matter, as text; each is one step of a message's life."""

from sqlalchemy import text

from messaging_svc.caps import conditions as caps
from messaging_svc.holds import conditions as holds
from messaging_svc.hours import conditions as hours

NOTIFY_CHANNEL = "kantis_dispatch"

WAKE = text("SELECT pg_notify('kantis_dispatch', '')")

_MAY_SEND = """EXISTS (
            SELECT FROM sending WHERE held_since IS NULL AND epoch >= :epoch
              AND database_oid = (SELECT oid::bigint FROM pg_database WHERE datname = current_database()))"""
"""This is the database that sent last, and nobody holds it; part of the statement, so that no claim slips through."""

_TOLD = """EXISTS (
            SELECT FROM dispatch t
            WHERE t.person_id = d.person_id AND t.origin_id = d.origin_id AND t.origin = d.origin
              AND t.channel = d.channel AND t.id <> d.id AND {merged}.merged_id IS NOT NULL
              AND (t.state IN ('handed_over', 'accepted', 'in_doubt')
                   OR (t.state IN ('planned', 'claimed') AND t.id < d.id)))"""
_TOLD_ALREADY = (
    f"({_TOLD.format(merged='t')} OR (d.merged_id IS NOT NULL AND {_TOLD.format(merged='d')}))"
)
"""A launch that was planned for both of two records of one person tells them once: of two that wait, the first."""

_ADDRESS = "CASE d.channel WHEN 'sms' THEN p.phone ELSE p.email END"
_ADDRESS_HASH = "CASE d.channel WHEN 'sms' THEN p.phone_hash ELSE p.email_hash END"
"""Where a person (p) is reached in the channel of a message (d), and under which hash that is suppressed."""

_NO_UNDER = """EXISTS (
                    SELECT FROM person_alias a
                    LEFT JOIN person_card f ON f.person_id = a.merged_id
                    LEFT JOIN suppression fs ON fs.address_hash = CASE d.channel WHEN 'sms' THEN f.phone_hash
                            ELSE coalesce(f.email_hash, f.last_email_hash) END
                        AND fs.reason NOT IN ('hard_bounce', 'soft_bounces')
                    LEFT JOIN withdrawal fw ON fw.person_id = a.merged_id AND fw.channel = d.channel
                        AND fw.purpose IN (d.purpose, '')
                    LEFT JOIN permission_card fm ON fm.person_id = a.merged_id AND fm.channel = d.channel
                        AND fm.purpose = d.purpose AND fm.state = 'withdrawn'
                    WHERE a.known_id = d.person_id AND ({condition}))"""
_SUPPRESSED_UNDER = _NO_UNDER.format(condition="fs.address_hash IS NOT NULL")
_WITHDRAWN_UNDER = _NO_UNDER.format(
    condition="(fw.person_id IS NOT NULL AND greatest(a.at, fw.withdrawn_at) >= coalesce(m.occurred_at, '-infinity'))"
    " OR (fm.person_id IS NOT NULL AND greatest(a.at, fm.occurred_at) >= m.occurred_at)"
)
"""What was said under an id that was merged into the person counts, unless a yes is younger than that and the merge."""

_REFUSED = """CASE
                WHEN p.do_not_contact THEN 'do_not_contact'
                WHEN p.not_before > cast(cast(:now AS timestamptz) AT TIME ZONE 'UTC' AS date) THEN 'not_before'
                ELSE (
                    SELECT 'suppressed_' || min(k.scope) FROM suppression_card k
                    WHERE k.address_hash = ANY (ARRAY[p.email_hash, p.phone_hash]) AND NOT k.is_lifted
                      AND (k.scope = 'everything' OR (k.scope = 'channel' AND k.scope_id = d.channel)
                        OR (k.scope = 'topic' AND k.scope_id = c.topic)
                        OR (k.scope = 'list' AND k.scope_id = cast(c.list_id AS text))))
            END"""
"""The name of the rule by which a person (p) gets nothing like a message (d) of a cell (c) at all, or NULL."""

_UNWANTED = """CASE
                WHEN greatest(h.paused_until, r.paused_until) > :now THEN 'paused'
                WHEN r.is_topic OR h.topics -> c.topic = 'false' THEN 'topic_refused'
            END"""
"""The name of the rule by which a person wants no such message for now, by their wishes (h) and refusals (r), or NULL."""

_WISHES = """LEFT JOIN wish_card h ON h.person_id = d.person_id
        LEFT JOIN LATERAL (
            SELECT max(paused_until) AS paused_until, bool_or(topic <> '') AS is_topic FROM refusal
            WHERE topic IN ('', c.topic)
              AND person_id IN (
                  SELECT d.person_id UNION ALL SELECT a.merged_id FROM person_alias a WHERE a.known_id = d.person_id)
              AND stated_at > coalesce(h.changed_at, '-infinity')
        ) r ON true"""
"""What a person has said to us directly holds until they have said something since on their pages."""

CLAIM = text(
    f"""
    WITH due AS (
        SELECT * FROM dispatch WHERE state = 'planned' AND next_at <= :now
            AND channel = ANY(cast(:channels AS text[])) AND {_MAY_SEND}
        ORDER BY is_marketing, next_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), verdict AS MATERIALIZED (
        SELECT d.id, coalesce(d.to_email, d.to_phone, {_ADDRESS}) AS email,
            coalesce(d.language, p.language, 'en') AS language,
            coalesce(d.preferred_name, p.preferred_name, '') AS preferred_name,
            CASE WHEN m.person_id IS NOT NULL THEN jsonb_build_object('ledger_id', m.ledger_id, 'state', m.state,
                'version', m.version, 'legal_basis', m.legal_basis, 'occurred_at', m.occurred_at) END AS permission,
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
                WHEN coalesce(d.to_email, d.to_phone, {_ADDRESS}) IS NULL THEN 'no_address'
                WHEN NOT d.is_marketing THEN 'allowed'
                WHEN {_TOLD_ALREADY} THEN 'told_already'
                WHEN s.address_hash IS NOT NULL OR {_SUPPRESSED_UNDER} THEN 'address_suppressed'
                WHEN {_REFUSED} IS NOT NULL THEN {_REFUSED}
                WHEN w.withdrawn_at >= coalesce(m.occurred_at, '-infinity') THEN 'withdrawn'
                WHEN {_WITHDRAWN_UNDER} THEN 'withdrawn'
                WHEN {_UNWANTED} IS NOT NULL THEN {_UNWANTED}
                WHEN m.person_id IS NULL THEN
                    CASE WHEN d.planned_at + make_interval(secs => :permission_grace) <= :now
                         THEN 'no_permission' ELSE 'waits_for_permission' END
                WHEN m.state <> 'granted' THEN 'permission_' || m.state
                ELSE coalesce({hours.RULE}, {caps.FREQUENCY_RULE},
                    CASE WHEN {caps.SPENT} THEN 'waits_for_budget' END, 'allowed')
            END AS rule,
            p.not_before, greatest(h.paused_until, r.paused_until) AS paused_until, a.opens_at,
            {caps.FREQUENCY_FACTS} AS full_cap
        FROM due d
        LEFT JOIN person_card p ON p.person_id = d.person_id
        LEFT JOIN permission_card m
            ON m.person_id = d.person_id AND m.channel = d.channel AND m.purpose = d.purpose
        LEFT JOIN suppression s ON s.address_hash = {_ADDRESS_HASH}
        LEFT JOIN dispatch_source c ON c.id = d.source_id
        {holds.HOLD}
        {_WISHES}
        {hours.HOURS}
        CROSS JOIN LATERAL (SELECT {hours.OPENS_AT} AS opens_at OFFSET 0) a
        {caps.FULL}
        LEFT JOIN LATERAL (
            SELECT max(withdrawn_at) AS withdrawn_at FROM withdrawal
            WHERE person_id = d.person_id AND channel = d.channel AND purpose IN (d.purpose, '')
        ) w ON true
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
    RETURNING d.id, d.state, d.fence, d.claimed_until, d.attempts, d.origin, d.is_marketing, d.purpose, d.person_id,
        d.source_id, d.response_code, d.template_version_id, d.builtin, d.facts, d.rfc_message_id, d.cost_minor, d.rule,
        n.email, n.language, n.preferred_name
    """  # noqa: S608 - the conditions are constants above
)
"""Claim what is due and decide on it in one statement: the gate."""

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
    WHERE d.id = t.id AND d.fence = t.fence AND d.state = 'claimed' AND d.claimed_by = :me AND d.claimed_until > :now
      AND (d.not_after IS NULL OR d.not_after > :now)
      AND {_MAY_SEND}
      AND NOT EXISTS (SELECT FROM person_card p WHERE p.person_id = d.person_id AND p.is_erased)
      AND (NOT d.is_marketing OR (
          NOT {_TOLD_ALREADY}
          AND NOT {holds.HELD}
          AND d.person_id = ANY(cast(:locked AS uuid[]))
          AND EXISTS (
              SELECT FROM person_card p
              JOIN permission_card m ON m.person_id = p.person_id AND m.channel = d.channel AND m.purpose = d.purpose
              LEFT JOIN dispatch_source c ON c.id = d.source_id
              {_WISHES}
              {hours.HOURS}
              WHERE p.person_id = d.person_id AND {_ADDRESS} = t.email AND m.state = 'granted'
                AND NOT EXISTS (SELECT FROM suppression s WHERE s.address_hash = {_ADDRESS_HASH})
                AND NOT EXISTS (
                    SELECT FROM withdrawal w
                    WHERE w.person_id = d.person_id AND w.channel = d.channel AND w.purpose IN (d.purpose, '')
                      AND w.withdrawn_at >= m.occurred_at)
                AND NOT {_SUPPRESSED_UNDER}
                AND NOT {_WITHDRAWN_UNDER}
                AND {_REFUSED} IS NULL AND {_UNWANTED} IS NULL
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
        settled_at = CASE WHEN t.state = 'planned' THEN NULL ELSE cast(:now AS timestamptz) END, is_announced = false
    FROM jsonb_to_recordset(cast(:outcomes AS jsonb))
        AS t (id uuid, fence bigint, state text, rule text, reason text, next_at timestamptz, is_spared boolean)
    WHERE d.id = t.id AND d.fence = t.fence AND d.state IN ('claimed', 'handed_over', 'in_doubt')
    """
)
"""What the mail server said. An answer that comes after the lease still counts while nobody else has decided."""

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
        reason = 'the mail server took it just before its sender died'
    FROM unnest(cast(:ids AS uuid[]), cast(:fences AS bigint[])) AS t (id, fence)
    WHERE d.id = t.id AND d.fence = t.fence AND d.claimed_by = :sender AND d.state = 'handed_over'
    """
)
