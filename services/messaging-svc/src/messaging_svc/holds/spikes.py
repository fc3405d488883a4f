"""Bounces and complaints of a launch, counted by the minute; above a limit the launch pauses itself.

A message counts once as sent; the rate is that of the limit's window, and nothing before a person's resuming counts.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from kantis_kit import observability
from kantis_kit.tx import Tx
from messaging_svc.holds.events import launches_paused
from messaging_svc.holds.schemas import Kind

log = observability.get_logger(__name__)

_TALLY = text(
    """
    INSERT INTO launch_tally (launch_id, minute, sent, bounced, complained)
    SELECT * FROM unnest(cast(:launches AS uuid[]), cast(:minutes AS timestamptz[]), cast(:sent AS int[]),
        cast(:bounced AS int[]), cast(:complained AS int[]))
    ON CONFLICT (launch_id, minute) DO UPDATE SET sent = launch_tally.sent + excluded.sent,
        bounced = launch_tally.bounced + excluded.bounced, complained = launch_tally.complained + excluded.complained
    """
)
_SIGNAL = text(
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
_PAUSE = text(
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


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a launch that has gone out, or that the relay refused."""

    launch_id: UUID
    at: datetime
    is_bounced: bool = False


async def count_sent(tx: Tx, messages: Collection[Sent]) -> None:
    """Count what has gone out; called once for each message."""
    await _count(
        tx,
        Counter((one.launch_id, _minute(one.at)) for one in messages),
        bounced=Counter((one.launch_id, _minute(one.at)) for one in messages if one.is_bounced),
    )


async def count_signals(tx: Tx, kind: Kind, signals: Sequence[tuple[UUID, datetime]]) -> None:
    """Count bounces or complaints that came for messages (id, moment); each message counts once, however often told."""
    rows = await tx.execute(
        _SIGNAL,
        {
            "kind": kind.value,
            "ids": [id_ for id_, _ in signals],
            "times": [at for _, at in signals],
        },
    )
    found = Counter((row.origin_id, _minute(row.at)) for row in rows)
    counts = {"bounced": found} if kind is Kind.BOUNCE else {"complained": found}
    await _count(tx, Counter(), **counts)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


_Counts = Counter[tuple[UUID, datetime]]


async def _count(
    tx: Tx, sent: _Counts, *, bounced: _Counts | None = None, complained: _Counts | None = None
) -> None:
    bounced, complained = bounced or Counter(), complained or Counter()
    # In the order of the key, so that two senders lock rows in the same order.
    keys = sorted({*sent, *bounced, *complained})
    if not keys:
        return
    launches = [launch_id for launch_id, _ in keys]
    await tx.execute(
        _TALLY,
        {
            "launches": launches,
            "minutes": [minute for _, minute in keys],
            "sent": [sent[key] for key in keys],
            "bounced": [bounced[key] for key in keys],
            "complained": [complained[key] for key in keys],
        },
    )
    await _pause(tx, sorted(set(launches)))


async def _pause(tx: Tx, launches: Sequence[UUID]) -> None:
    values: dict[str, Any] = {"launches": list(launches), "now": tx.clock.now()}
    paused = (await tx.execute(_PAUSE, values)).all()
    if not paused:
        return
    tx.stage(launches_paused(paused))
    for row in paused:
        log.warning("sending.launch_paused", launch_id=str(row.launch_id), kind=row.spike["kind"])
        tx.audit("launches.pause", str(row.launch_id), **row.spike)
