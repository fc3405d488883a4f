"""Bounces and complaints of a launch, counted by the minute; above a limit the launch pauses itself.

A message counts once as sent; the rate is that of the limit's window, and nothing before a person's resuming counts.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from kantis_kit import observability
from kantis_kit.tx import Tx
from messaging_svc.holds import sql
from messaging_svc.holds.events import launches_paused
from messaging_svc.holds.schemas import Kind
from messaging_svc.openings.usecases import WAKE

log = observability.get_logger(__name__)


class Sent(NamedTuple):
    """A message of a launch that has gone out, or that the relay refused; there is one for each that leaves."""

    launch_id: UUID
    at: datetime
    is_bounced: bool = False


async def count_sent(tx: Tx, messages: Collection[Sent]) -> None:
    """Count what has gone out; called once for each message."""
    await _count(
        tx,
        _by_minute(Counter((one.launch_id, one.at) for one in messages)),
        bounced=_by_minute(Counter((one.launch_id, one.at) for one in messages if one.is_bounced)),
    )


async def count_signals(tx: Tx, kind: Kind, signals: Sequence[tuple[UUID, datetime]]) -> None:
    """Count bounces or complaints that came for messages (id, moment); each message counts once, however often told."""
    rows = await tx.execute(
        sql.SIGNAL,
        {
            "kind": kind.value,
            "ids": [id_ for id_, _ in signals],
            "times": [at for _, at in signals],
        },
    )
    found = _by_minute(Counter((row.origin_id, row.at) for row in rows))
    counts = {"bounced": found} if kind is Kind.BOUNCE else {"complained": found}
    await _count(tx, Counter(), **counts)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


_Counts = Counter[tuple[UUID, datetime]]


def _by_minute(found: _Counts) -> _Counts:
    """Add up what was counted by moments, of which whatever is recorded together has one."""
    counts: _Counts = Counter()
    for (launch_id, at), number in found.items():
        counts[launch_id, _minute(at)] += number
    return counts


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
        sql.TALLY,
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
    paused = (await tx.execute(sql.PAUSE, values)).all()
    if not paused:
        return
    tx.stage(launches_paused(paused))
    await tx.execute(WAKE)
    for row in paused:
        log.warning("sending.launch_paused", launch_id=str(row.launch_id), kind=row.spike["kind"])
        tx.audit("launches.pause", str(row.launch_id), **row.spike)
