"""Messages that somebody comes for: calls, and what a web site shows. Nobody sends them; they wait until they are asked for.

A pass over what is due ends what nobody may get, and marks the rest as ready, so that it can be counted and found fast. The
gate is asked again when somebody comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text

from kantis_contracts.values import Channel
from kantis_kit.tx import Tx
from messaging_svc.caps import conditions as caps
from messaging_svc.caps.spending import days_of
from messaging_svc.dispatch.gate import (
    ADDRESS_HASH,
    ADVERTISED,
    PERMISSION,
    SELLS_IN_NOTICE,
    WISHES,
    WITHDRAWALS,
)
from messaging_svc.holds import conditions as holds
from messaging_svc.hours import conditions as hours
from messaging_svc.openings.usecases import SEEN, put_off
from messaging_svc.settings import MessagingSettings

READY = "ready"
"""The rule of a message that somebody may come for."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """The statements of a channel whose messages somebody comes for."""

    undecided: TextClause
    """What the gate has not looked at, or put off until now."""
    overdue: TextClause
    """What was ready, and whose time is over."""
    decide: TextClause
    """The gate. With a holder, what is allowed is theirs; without, it is ready."""


def pulled(channel: Channel, *, address: str, spares: str = "NULL", joins: str = "") -> Pulled:
    """Make the statements of a channel.

    `address` is where a message (d) reaches its person (p), `spares` the name of a rule of the channel's own by which they
    do not get it, or NULL; `joins` is what that rule asks.
    """
    planned = f"d.state = 'planned' AND d.channel = '{channel.value}'"
    return Pulled(
        text(
            f"""
            SELECT d.id FROM dispatch d WHERE {planned} AND d.rule <> 'ready' AND d.next_at <= :now
            ORDER BY d.next_at, d.id LIMIT :limit FOR UPDATE SKIP LOCKED
            """  # noqa: S608 - constants
        ),
        text(
            f"""
            SELECT d.id FROM dispatch d LEFT JOIN launch_hold l ON l.launch_id = d.origin_id
            WHERE {planned} AND d.rule = 'ready' AND (d.not_after <= :now OR l.state = 'stopped')
            ORDER BY d.id LIMIT :limit FOR UPDATE OF d SKIP LOCKED
            """  # noqa: S608 - constants
        ),
        text(_decide(address, spares, joins)),
    )


def _decide(address: str, spares: str, joins: str) -> str:
    return f"""
    WITH verdict AS MATERIALIZED (
        SELECT d.id, {address} AS phone, coalesce(d.language, p.language, 'en') AS language,
            coalesce(d.preferred_name, p.preferred_name, '') AS preferred_name, {PERMISSION} AS permission,
            CASE
                WHEN d.not_after <= :now THEN 'expired'
                WHEN {holds.RULE} IS NOT NULL THEN {holds.RULE}
                WHEN p.is_erased THEN 'erased'
                WHEN d.to_phone IS NULL AND (p.person_id IS NULL OR EXISTS (SELECT FROM person_alias a
                        WHERE a.merged_id = d.person_id AND a.known_id IS NOT NULL)) THEN
                    CASE WHEN d.planned_at + make_interval(secs => :person_grace) <= :now
                         THEN 'person_unknown' ELSE 'waits_for_person' END
                WHEN {address} IS NULL THEN 'no_address'
                {SELLS_IN_NOTICE}
                {hours.OF_SERVICE}
                {ADVERTISED}
                ELSE coalesce({spares}, CASE WHEN :keeps_hours THEN {hours.RULE} END, {caps.FREQUENCY_RULE},
                    CASE WHEN {caps.SPENT} THEN 'waits_for_budget' END, 'allowed')
            END AS rule,
            a.opens_at, {caps.FREQUENCY_FACTS} AS full_cap
        FROM dispatch d
        LEFT JOIN person_card p ON p.person_id = d.person_id
        LEFT JOIN permission_card m
            ON m.person_id = d.person_id AND m.channel = d.channel AND m.purpose = d.purpose
        LEFT JOIN suppression s ON s.address_hash = {ADDRESS_HASH}
        LEFT JOIN dispatch_source c ON c.id = d.source_id
        {joins}
        {holds.HOLD}
        {WISHES}
        {hours.HOURS}
        CROSS JOIN LATERAL (SELECT {hours.OPENS_AT} AS opens_at OFFSET 0) a
        {caps.FULL}
        {WITHDRAWALS}
        WHERE d.id = ANY (cast(:ids AS uuid[])) AND d.state = 'planned'
    ), decided AS MATERIALIZED (
        SELECT *, CASE
            WHEN rule = 'allowed' AND cast(:holder AS uuid) IS NOT NULL THEN 'claimed'
            WHEN rule = 'allowed' OR rule LIKE 'waits\\_%' THEN 'planned'
            WHEN rule = 'expired' THEN 'expired'
            WHEN rule = 'person_unknown' THEN 'failed'
            ELSE 'suppressed' END AS next_state,
            CASE WHEN rule = 'allowed' AND cast(:holder AS uuid) IS NULL THEN 'ready' ELSE rule END AS next_rule,
            CASE rule
                WHEN 'waits_for_hours' THEN opens_at
                WHEN 'waits_for_wished_hours' THEN opens_at
                WHEN 'waits_for_budget' THEN cast(:tomorrow AS timestamptz)
                WHEN 'waits_for_resume' THEN :now + interval '1 day'
            END AS waits_until
        FROM verdict
    )
    UPDATE dispatch d SET
        state = n.next_state, rule = n.next_rule, permission = n.permission,
        decisions = CASE WHEN n.rule IN ('allowed', d.rule) THEN d.decisions
            ELSE d.decisions || jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('rule', n.rule, 'at', :now,
                'until', n.waits_until, 'facts', n.full_cap))) END,
        claimed_by = CASE WHEN n.next_state = 'claimed' THEN cast(:holder AS uuid) END,
        claimed_until = CASE WHEN n.next_state = 'claimed' THEN cast(:until AS timestamptz) END,
        claimed_at = CASE WHEN n.next_state = 'claimed' THEN cast(:now AS timestamptz) ELSE claimed_at END,
        fence = d.fence + CASE WHEN n.next_state = 'claimed' THEN 1 ELSE 0 END,
        settled_at = CASE WHEN n.next_state IN ('claimed', 'planned') THEN NULL ELSE cast(:now AS timestamptz) END,
        next_at = CASE WHEN n.rule LIKE 'waits\\_%' THEN least(d.not_after, coalesce(n.waits_until, least(
            :now + interval '60 seconds',
            d.planned_at + make_interval(secs => CASE n.rule WHEN 'waits_for_person' THEN :person_grace
                WHEN 'waits_for_permission' THEN :permission_grace END))))
            ELSE d.next_at END
    FROM decided n
    WHERE d.id = n.id
    RETURNING d.id, d.state, d.rule, d.fence, d.attempts, d.person_id, n.phone, {SEEN}
    """  # noqa: S608 - the conditions are constants


async def decide(
    tx: Tx,
    of: Pulled,
    ids: Sequence[UUID],
    *,
    holder: UUID | None = None,
    until: datetime | None = None,
    keeps_hours: bool = True,
) -> Sequence[Row[Any]]:
    """Have the gate decide on messages; without a holder, what is allowed becomes ready."""
    if not ids:
        return []
    now, settings = tx.clock.now(), tx.settings(MessagingSettings)
    today, tomorrow = days_of(now, settings)
    found = await tx.execute(
        of.decide,
        {
            "ids": list(ids),
            "now": now,
            "today": today,
            "tomorrow": tomorrow,
            "holder": holder,
            "until": until,
            "keeps_hours": keeps_hours,
            "person_grace": settings.person_grace_seconds,
            "permission_grace": settings.permission_grace_seconds,
        },
    )
    rows = found.all()
    await put_off(tx, rows, now=now)
    return rows


async def look_over(tx: Tx, of: Pulled, limit: int) -> int:
    """Decide on messages that are due and nobody has looked at; return how many there were."""
    asked = {"now": tx.clock.now(), "limit": limit}
    ids = list(await tx.scalars(of.undecided, asked))
    ids += list(await tx.scalars(of.overdue, asked))
    await decide(tx, of, ids)
    return len(ids)
