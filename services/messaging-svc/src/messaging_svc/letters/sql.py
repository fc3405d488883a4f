"""The gate and the hand-over of letters: the rules of all messages, and what is particular to post.

A letter is claimed by its batch and stays so until a person says that the batch was handed to the printing house, or
discards it: nothing on paper is taken for unsent because time went by.
"""

from sqlalchemy import text

from messaging_svc.caps import conditions as caps
from messaging_svc.dispatch.gate import (
    ABOUT_THE_ADDRESS,
    ADVERTISED,
    MAY_SEND,
    PERMISSION,
    SELLS_IN_NOTICE,
    STILL_WANTED,
    TOLD_ALREADY,
    WISHES,
    WITHDRAWALS,
)
from messaging_svc.holds import conditions as holds

NOTIFY_CHANNEL = "kantis_letters"
WAKE = text("SELECT pg_notify('kantis_letters', '')")

CLAIM = text(
    f"""
    WITH due AS (
        SELECT d.* FROM dispatch d
        LEFT JOIN letter_address a ON a.person_id = d.person_id
        LEFT JOIN dispatch_source c ON c.id = d.source_id
        WHERE d.state = 'planned' AND d.channel = 'letter' AND d.next_at <= :now AND {MAY_SEND}
          AND coalesce(a.country, :country) = :country
          AND (cast(:campaign AS uuid) IS NULL OR coalesce(c.campaign_id, c.asker_id) = :campaign)
        ORDER BY d.next_at, d.id LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    ), verdict AS (
        SELECT d.id, coalesce(d.language, p.language, 'en') AS language,
            coalesce(d.preferred_name, p.preferred_name, '') AS preferred_name,
            a.name, a.street, a.postal_code, a.city, a.country,
            {PERMISSION} AS permission,
            CASE
                WHEN d.not_after <= :now THEN 'expired'
                WHEN {holds.RULE} IS NOT NULL THEN {holds.RULE}
                WHEN p.is_erased THEN 'erased'
                WHEN d.builtin = '' AND d.template_version_id IS NULL THEN 'template_unknown'
                WHEN p.person_id IS NULL OR a.person_id IS NULL OR a.version < p.version
                    OR EXISTS (SELECT FROM person_alias al WHERE al.merged_id = d.person_id AND al.known_id IS NOT NULL)
                THEN CASE WHEN d.planned_at + make_interval(secs => :person_grace) <= :now
                          THEN 'person_unknown' ELSE 'waits_for_person' END
                WHEN a.street = '' OR a.postal_code = '' OR a.city = '' OR a.name = '' THEN 'no_address'
                WHEN a.is_undeliverable THEN 'address_undeliverable'
                {SELLS_IN_NOTICE}
                {ADVERTISED}
                ELSE coalesce({caps.FREQUENCY_RULE}, CASE WHEN {caps.SPENT} THEN 'waits_for_budget' END, 'allowed')
            END AS rule
        FROM due d
        LEFT JOIN person_card p ON p.person_id = d.person_id
        LEFT JOIN letter_address a ON a.person_id = d.person_id
        LEFT JOIN permission_card m
            ON m.person_id = d.person_id AND m.channel = d.channel AND m.purpose = d.purpose
        LEFT JOIN suppression s ON s.address_hash = p.email_hash AND s.reason NOT IN {ABOUT_THE_ADDRESS}
        LEFT JOIN dispatch_source c ON c.id = d.source_id
        {holds.HOLD}
        {WISHES}
        {caps.FULL}
        {WITHDRAWALS}
    ), decided AS (
        SELECT *, CASE
            WHEN rule = 'allowed' THEN 'claimed'
            WHEN rule = 'expired' THEN 'expired'
            WHEN rule LIKE 'waits\\_%' THEN 'planned'
            WHEN rule IN ('template_unknown', 'person_unknown') THEN 'failed'
            ELSE 'suppressed' END AS next_state
        FROM verdict
    )
    UPDATE dispatch d SET
        state = n.next_state, rule = n.rule, permission = n.permission,
        claimed_by = CASE WHEN n.next_state = 'claimed' THEN cast(:batch AS uuid) END,
        claimed_until = CASE WHEN n.next_state = 'claimed' THEN cast(:until AS timestamptz) END,
        claimed_at = CASE WHEN n.next_state = 'claimed' THEN cast(:now AS timestamptz) ELSE claimed_at END,
        fence = d.fence + CASE WHEN n.next_state = 'claimed' THEN 1 ELSE 0 END,
        settled_at = CASE WHEN n.next_state IN ('claimed', 'planned') THEN NULL ELSE cast(:now AS timestamptz) END,
        next_at = CASE WHEN n.next_state = 'planned' THEN least(
            :now + make_interval(secs => 60),
            d.planned_at + make_interval(secs =>
                CASE n.rule WHEN 'waits_for_person' THEN :person_grace
                    WHEN 'waits_for_permission' THEN :permission_grace END))
            ELSE d.next_at END
    FROM decided n
    WHERE d.id = n.id
    RETURNING d.id, d.state, d.fence, d.claimed_until, d.attempts, d.origin, d.is_marketing, d.purpose, d.person_id,
        d.source_id, d.response_code, d.template_version_id, d.builtin, d.facts, d.rfc_message_id, '' AS email,
        n.language, n.preferred_name, n.name, n.street, n.postal_code, n.city, n.country
    """  # noqa: S608 - the conditions are constants
)
"""Decide on what is due in a country, and put what may be sent into a batch."""

HAND_OVER = text(
    f"""
    UPDATE dispatch d SET state = 'accepted', handed_over_at = :now, settled_at = :now, attempts = d.attempts + 1,
        reason = :reason, is_announced = false, claimed_by = NULL, claimed_until = NULL
    FROM letter_piece l, person_card p, letter_address a, (
        SELECT message_id, row_number() OVER (PARTITION BY person_id ORDER BY position) - 1 AS ahead
        FROM letter_piece WHERE batch_id = :batch
    ) t
    WHERE l.batch_id = :batch AND d.id = l.message_id AND t.message_id = l.message_id
      AND d.id = ANY(cast(:affordable AS uuid[])) AND p.person_id = d.person_id AND a.person_id = d.person_id
      AND d.state = 'claimed' AND d.claimed_by = :batch AND l.person_id = d.person_id
      AND {MAY_SEND}
      AND NOT p.is_erased AND NOT a.is_undeliverable
      AND (a.name, a.street, a.postal_code, a.city, a.country)
          = (l.name, l.street, l.postal_code, l.city, l.country)
      AND (NOT d.is_marketing OR (
          d.person_id = ANY(cast(:locked AS uuid[])) AND NOT {TOLD_ALREADY} AND NOT {holds.HELD}
          AND EXISTS (
              SELECT FROM permission_card m
              LEFT JOIN dispatch_source c ON c.id = d.source_id
              {WISHES}
              WHERE m.person_id = p.person_id AND m.channel = d.channel AND m.purpose = d.purpose
                AND m.state = 'granted'
                AND NOT EXISTS (SELECT FROM suppression s
                                WHERE s.address_hash = p.email_hash AND s.reason NOT IN {ABOUT_THE_ADDRESS})
                AND {STILL_WANTED}
                AND {caps.NOT_FULL}
          )))
    RETURNING d.id
    """  # noqa: S608 - the conditions are constants
)
"""Hand over what is still allowed, at the address that is printed; runs after LOCK_PERSONS, with its own snapshot."""

GIVE_BACK = text(
    """
    UPDATE dispatch SET state = 'planned', claimed_by = NULL, claimed_until = NULL, next_at = :now
    WHERE state = 'claimed' AND claimed_by = :batch
    """
)
"""What is in the batch is decided on anew."""

WAIT_FOR_BUDGET = text(
    """
    UPDATE dispatch SET state = 'planned', rule = 'waits_for_budget', claimed_by = NULL, claimed_until = NULL,
        next_at = :tomorrow
    WHERE id = ANY(cast(:ids AS uuid[])) AND state = 'claimed' AND claimed_by = :batch
    """
)
"""What the spend caps do not let go today waits; a batch never costs more than may be spent."""

FAIL = text(
    """
    UPDATE dispatch d SET state = 'failed', rule = 'cannot_be_written', reason = t.reason, settled_at = :now,
        is_announced = false, claimed_by = NULL, claimed_until = NULL
    FROM unnest(cast(:ids AS uuid[]), cast(:reasons AS text[])) AS t (id, reason)
    WHERE d.id = t.id AND d.state = 'claimed' AND d.claimed_by = :batch
    """
)
"""Nothing can be printed for these."""

SORT = text(
    """
    UPDATE letter_piece l SET position = n.position
    FROM (
        SELECT message_id, row_number() OVER (
            ORDER BY regexp_replace(postal_code, '\\D', '', 'g'), postal_code, street, name, message_id) AS position
        FROM letter_piece WHERE batch_id = :batch
    ) n
    WHERE l.message_id = n.message_id
    """
)
"""Give the pieces their order: by postal code, as the post wants them."""

NOTE = text(
    """
    UPDATE letter_piece l SET return_code = t.code, pages = t.pages
    FROM unnest(cast(:ids AS uuid[]), cast(:codes AS text[]), cast(:pages AS int[])) AS t (id, code, pages)
    WHERE l.message_id = t.id
    """
)
"""Keep what was printed."""

TAKE = text(
    """
    UPDATE letter_batch SET worked_on_until = :until
    WHERE id = (
        SELECT id FROM letter_batch
        WHERE state IN ('collecting', 'printing') AND coalesce(worked_on_until, '-infinity') <= :now
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
    """
)
"""Take a batch that nobody works on, or whose worker has been silent for too long."""

WAITING = text(
    """
    SELECT coalesce(a.country, '') AS country, count(*) AS letters
    FROM dispatch d LEFT JOIN letter_address a ON a.person_id = d.person_id
    WHERE d.state = 'planned' AND d.channel = 'letter'
    GROUP BY 1 ORDER BY 1
    """
)
