"""Bounces and complaints of a launch, counted by the minute; above a limit the launch pauses itself.

A message counts once as sent; the rate is that of the limit's window, and nothing before a person's resuming counts.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kantis_kit import observability
from kantis_kit.tx import Tx
from messaging_svc.holds import sql
from messaging_svc.holds.events import launches_paused
from messaging_svc.holds.schemas import Kind

log = observability.get_logger(__name__)


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
        sql.SIGNAL,
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
    for row in paused:
        log.warning("sending.launch_paused", launch_id=str(row.launch_id), kind=row.spike["kind"])
        tx.audit("launches.pause", str(row.launch_id), **row.spike)
