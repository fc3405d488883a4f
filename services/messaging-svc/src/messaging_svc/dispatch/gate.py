"""The rules of the gate that every channel shares, as parts of statements.

`d` is the message, `p` its person's card, `m` the permission, `c` the cell, `h` the wishes, `s` the suppression of the
address. What a channel adds (hours, an address of its own kind) stands with the statement that asks.
"""

from kantis_contracts.values import ADVERTISING

MAY_SEND = """EXISTS (
            SELECT FROM sending WHERE held_since IS NULL AND epoch >= :epoch
              AND database_oid = (SELECT oid::bigint FROM pg_database WHERE datname = current_database()))"""
"""This is the database that sent last, and nobody holds it; part of the statement, so that no claim slips through."""

_TOLD = """EXISTS (
            SELECT FROM dispatch t
            WHERE t.person_id = d.person_id AND t.origin_id = d.origin_id AND t.origin = d.origin
              AND t.channel = d.channel AND t.id <> d.id AND {merged}.merged_id IS NOT NULL
              AND (t.state IN ('handed_over', 'accepted', 'in_doubt')
                   OR (t.state IN ('planned', 'claimed') AND t.id < d.id)))"""
TOLD_ALREADY = (
    f"({_TOLD.format(merged='t')} OR (d.merged_id IS NOT NULL AND {_TOLD.format(merged='d')}))"
)
"""A launch that was planned for both of two records of one person tells them once: of two that wait, the first."""

_BY_NUMBER = "d.channel IN ('sms', 'phone')"
ADDRESS = f"CASE WHEN {_BY_NUMBER} THEN p.phone ELSE p.email END"
ADDRESS_HASH = f"CASE WHEN {_BY_NUMBER} THEN p.phone_hash ELSE p.email_hash END"
"""Where a person (p) is reached in the channel of a message (d), and under which hash that is suppressed."""

ABOUT_THE_ADDRESS = "('hard_bounce', 'soft_bounces')"
"""Reasons of a suppression that say nothing about the person: they may be written to at another address."""

_NO_UNDER = f"""EXISTS (
                    SELECT FROM person_alias a
                    LEFT JOIN person_card f ON f.person_id = a.merged_id
                    LEFT JOIN suppression fs ON fs.address_hash = CASE WHEN {_BY_NUMBER} THEN f.phone_hash
                            ELSE coalesce(f.email_hash, f.last_email_hash) END
                        AND fs.reason NOT IN {ABOUT_THE_ADDRESS}
                    LEFT JOIN withdrawal fw ON fw.person_id = a.merged_id AND fw.channel = d.channel
                        AND fw.purpose IN (d.purpose, '')
                    LEFT JOIN permission_card fm ON fm.person_id = a.merged_id AND fm.channel = d.channel
                        AND fm.purpose = d.purpose AND fm.state = 'withdrawn'
                    WHERE a.known_id = d.person_id AND ({{condition}}))"""
SUPPRESSED_UNDER = _NO_UNDER.format(condition="fs.address_hash IS NOT NULL")
WITHDRAWN_UNDER = _NO_UNDER.format(
    condition="(fw.person_id IS NOT NULL AND greatest(a.at, fw.withdrawn_at) >= coalesce(m.occurred_at, '-infinity'))"
    " OR (fm.person_id IS NOT NULL AND greatest(a.at, fm.occurred_at) >= m.occurred_at)"
)
"""What was said under an id that was merged into the person counts, unless a yes is younger than that and the merge."""

REFUSED = """CASE
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

UNWANTED = """CASE
                WHEN greatest(h.paused_until, r.paused_until) > :now THEN 'paused'
                WHEN r.is_topic OR h.topics -> c.topic = 'false' THEN 'topic_refused'
            END"""
"""The name of the rule by which a person wants no such message for now, by their wishes (h) and refusals (r), or NULL."""

WISHES = """LEFT JOIN wish_card h ON h.person_id = d.person_id
        LEFT JOIN LATERAL (
            SELECT max(paused_until) AS paused_until, bool_or(topic <> '') AS is_topic FROM refusal
            WHERE topic IN ('', c.topic)
              AND person_id IN (
                  SELECT d.person_id UNION ALL SELECT a.merged_id FROM person_alias a WHERE a.known_id = d.person_id)
              AND stated_at > coalesce(h.changed_at, '-infinity')
        ) r ON true"""
"""What a person has said to us directly holds until they have said something since on their pages."""

WITHDRAWALS = """LEFT JOIN LATERAL (
            SELECT max(withdrawn_at) AS withdrawn_at FROM withdrawal
            WHERE person_id = d.person_id AND channel = d.channel AND purpose IN (d.purpose, '')
        ) w ON true"""
"""The last no (w) that was said to us directly."""

PERMISSION = """CASE WHEN m.person_id IS NOT NULL THEN jsonb_build_object('ledger_id', m.ledger_id, 'state', m.state,
                'version', m.version, 'legal_basis', m.legal_basis, 'occurred_at', m.occurred_at) END"""
"""What is kept of the permission with the message that went by it."""

_MAY_SELL = ", ".join(f"'{one.value}'" for one in sorted(ADVERTISING))
SELLS_IN_NOTICE = f"""WHEN NOT d.is_marketing AND d.origin = 'step' AND EXISTS (
                    SELECT FROM template_version v
                    WHERE v.id = d.template_version_id AND v.message_class IN ({_MAY_SELL})) THEN 'sells_in_notice'"""
"""Branch of the claim's decision: a step is to be told without permission, with a template that may sell."""

ADVERTISED = f"""WHEN NOT d.is_marketing THEN 'allowed'
                WHEN {TOLD_ALREADY} THEN 'told_already'
                WHEN s.address_hash IS NOT NULL OR {SUPPRESSED_UNDER} THEN 'address_suppressed'
                WHEN {REFUSED} IS NOT NULL THEN {REFUSED}
                WHEN w.withdrawn_at >= coalesce(m.occurred_at, '-infinity') THEN 'withdrawn'
                WHEN {WITHDRAWN_UNDER} THEN 'withdrawn'
                WHEN {UNWANTED} IS NOT NULL THEN {UNWANTED}
                WHEN m.person_id IS NULL THEN
                    CASE WHEN d.planned_at + make_interval(secs => :permission_grace) <= :now
                         THEN 'no_permission' ELSE 'waits_for_permission' END
                WHEN m.state <> 'granted' THEN 'permission_' || m.state"""
"""Branches of the claim's decision: what keeps an advertising message from its person, in this order."""

STILL_WANTED = f"""NOT EXISTS (
                    SELECT FROM withdrawal w
                    WHERE w.person_id = d.person_id AND w.channel = d.channel AND w.purpose IN (d.purpose, '')
                      AND w.withdrawn_at >= m.occurred_at)
                AND NOT {SUPPRESSED_UNDER}
                AND NOT {WITHDRAWN_UNDER}
                AND {REFUSED} IS NULL AND {UNWANTED} IS NULL"""
"""The same rules once more at the hand-over, while the person is locked."""
