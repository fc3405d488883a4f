"""Take a lead, claim what is due, note how a delivery ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from gateway.settings import GatewaySettings
from gateway.spool import queries
from gateway.spool.errors import AnotherLead, SpoolFull
from gateway.spool.model import (
    REFUSED,
    STUCK,
    WAITING,
    Spooled,
    is_refused,
    is_taken,
    pause_seconds,
)
from kantis_kit.ids import new_id
from kantis_kit.observability import correlation_id
from kantis_kit.tx import Tx

BATCH = 20
KEEP_REFUSED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Lead:
    """What was posted, and when."""

    path: str
    query: str
    headers: list[list[str]]
    body: bytes
    idempotency_key: str
    received_at: datetime


async def take(tx: Tx, lead: Lead) -> None:
    """Keep a lead until its service is back. The same lead under the same key is kept once.

    Raises:
        SpoolFull: as many leads wait as may.
        AnotherLead: the key stands for another lead.
    """
    if await queries.count(tx) >= tx.settings(GatewaySettings).spool_max_rows:
        raise SpoolFull("Too many leads wait already", headers={"Retry-After": "60"})
    now = tx.clock.now()
    made = await tx.execute(
        insert(Spooled)
        .values(
            id=new_id(),
            path=lead.path,
            query=lead.query,
            headers=lead.headers,
            body=lead.body,
            idempotency_key=lead.idempotency_key,
            correlation_id=correlation_id.get(),
            received_at=lead.received_at,
            state=WAITING,
            attempts=0,
            next_at=now,
            problem="",
        )
        .on_conflict_do_nothing(index_elements=["path", "idempotency_key"])
        .returning(col(Spooled.id))
    )
    if made.first() is not None:
        return
    kept = await tx.scalar(
        select(Spooled.body).where(
            col(Spooled.path) == lead.path, col(Spooled.idempotency_key) == lead.idempotency_key
        )
    )
    # Gone meanwhile means delivered meanwhile: the service holds the key now.
    if kept is not None and bytes(kept) != lead.body:
        raise AnotherLead("Use a new key for a new request, or repeat the first one unchanged")


async def claim(tx: Tx, claimant: UUID) -> Sequence[Spooled]:
    """Take a lease on leads that are due, the oldest first; nobody else delivers them meanwhile."""
    now = tx.clock.now()
    lease = timedelta(seconds=tx.settings(GatewaySettings).spool_lease_seconds)
    due = (
        select(Spooled.id)
        .where(
            col(Spooled.state) == WAITING,
            col(Spooled.next_at) <= now,
            col(Spooled.claimed_until).is_(None) | (col(Spooled.claimed_until) <= now),
        )
        .order_by(col(Spooled.id))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    rows = await tx.scalars(
        update(Spooled)
        .where(col(Spooled.id).in_(due.scalar_subquery()))
        .values(claimed_by=claimant, claimed_until=now + lease)
        .returning(Spooled)
    )
    return sorted(rows, key=lambda row: row.id)


async def note_answer(tx: Tx, lead_id: UUID, claimant: UUID, status: int | None) -> None:
    """Forget a lead that was taken, keep a refused one for a person, plan the next attempt for any other.

    Args:
        tx: the transaction.
        lead_id: the lead.
        claimant: who holds the lease; a lost one changes nothing.
        status: what the service answered; None when it did not.
    """
    mine = (col(Spooled.id) == lead_id, col(Spooled.claimed_by) == claimant)
    if status is not None and is_taken(status):
        await tx.execute(delete(Spooled).where(*mine))
        return
    row = await tx.scalar(select(Spooled).where(*mine).with_for_update())
    if row is None:
        return
    now = tx.clock.now()
    age = timedelta(days=tx.settings(GatewaySettings).spool_max_age_days)
    row.attempts += 1
    row.last_status = status
    row.claimed_by = row.claimed_until = None
    row.problem = "the service does not answer" if status is None else f"the service said {status}"
    row.next_at = now + timedelta(seconds=pause_seconds(row.attempts))
    if status is not None and is_refused(status):
        row.state = REFUSED
    elif now - row.received_at >= age:
        row.state = STUCK


async def retry(tx: Tx) -> int:
    """Try all leads again at once, refused and stuck ones too; return how many."""
    changed = await tx.execute(
        update(Spooled)
        .where(col(Spooled.claimed_by).is_(None))
        .values(state=WAITING, next_at=tx.clock.now())
        .returning(col(Spooled.id))
    )
    return len(changed.all())


async def forget_refused(tx: Tx) -> None:
    """Delete refused leads that nobody has mended in a month: they hold personal data."""
    await tx.execute(
        delete(Spooled).where(
            col(Spooled.state) == REFUSED, col(Spooled.received_at) < tx.clock.now() - KEEP_REFUSED
        )
    )
