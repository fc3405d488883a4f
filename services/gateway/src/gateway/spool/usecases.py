"""Take a lead, claim what is due, note how a delivery ended."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import col, select

from gateway.settings import GatewaySettings
from gateway.spool import queries
from gateway.spool.errors import LeadUnknown, SpoolFull
from gateway.spool.model import (
    BROKEN,
    REFUSED,
    STUCK,
    WAITING,
    Spooled,
    breaks,
    is_refused,
    is_taken,
    pause_seconds,
)
from kantis_kit.ids import new_id
from kantis_kit.observability import correlation_id
from kantis_kit.tx import Tx

KEEP_REFUSED = timedelta(days=30)
RUN = 25
"""So many leads of a line are leased, delivered one after the other and noted together."""
MAX_KEY = 255
_OWN_KEY = 32


@dataclass(frozen=True, slots=True)
class Lead:
    """What was posted, and when."""

    path: str
    query: str
    headers: list[list[str]]
    body: bytes
    idempotency_key: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """How a delivery ended: no status when nobody answered; the title of a problem, which names nobody."""

    status: int | None = None
    problem: str = ""

    @property
    def is_taken(self) -> bool:
        """Say whether the service has the lead now."""
        return self.status is not None and is_taken(self.status)


async def take(tx: Tx, lead: Lead) -> None:
    """Keep a lead until its service is back. The same lead under the same key is kept once.

    Another lead under the same key is another visitor's, and kept as well: some sites send one key for all.

    Raises:
        SpoolFull: as many leads wait as may.
    """
    if await queries.count(tx) >= tx.settings(GatewaySettings).spool_max_rows:
        raise SpoolFull("Too many leads wait already", headers={"Retry-After": "60"})
    if await _keep(tx, lead):
        return
    kept = await tx.scalar(
        select(Spooled.body).where(
            col(Spooled.path) == lead.path, col(Spooled.idempotency_key) == lead.idempotency_key
        )
    )
    # Gone meanwhile means delivered meanwhile: the service holds the key now.
    if kept is not None and bytes(kept) != lead.body:
        digest = hashlib.sha256(f"{lead.query}\n".encode() + lead.body).hexdigest()[:_OWN_KEY]
        own = f"{digest}:{lead.idempotency_key}"[:MAX_KEY]
        await _keep(tx, replace(lead, idempotency_key=own))


async def _keep(tx: Tx, lead: Lead) -> bool:
    """Write a lead down, and say whether none was there under its key."""
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
    return made.first() is not None


async def claim(tx: Tx, claimant: UUID) -> list[Spooled]:
    """Take a lease on the first leads of a line that is due; nobody else delivers that line meanwhile.

    A line is what waits for one form. It moves in the order of its coming: those behind wait for the first one.
    """
    now = tx.clock.now()
    firsts = (
        select(Spooled.id)
        .where(col(Spooled.state) == WAITING)
        .ext(distinct_on(col(Spooled.path)))
        .order_by(col(Spooled.path), col(Spooled.id))
    )
    due = (
        select(Spooled.path)
        .where(
            col(Spooled.id).in_(firsts),
            col(Spooled.state) == WAITING,
            col(Spooled.next_at) <= now,
            col(Spooled.claimed_until).is_(None) | (col(Spooled.claimed_until) <= now),
        )
        .order_by(col(Spooled.next_at), col(Spooled.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    path: str | None = await tx.scalar(due)
    return [] if path is None else await _lease(tx, claimant, path)


async def _lease(tx: Tx, claimant: UUID, path: str) -> list[Spooled]:
    """Take a lease on the first leads of a line, up to one that somebody else delivers just now."""
    now = tx.clock.now()
    until = now + timedelta(seconds=tx.settings(GatewaySettings).spool_lease_seconds)
    first = (
        select(Spooled)
        .where(col(Spooled.path) == path, col(Spooled.state) == WAITING)
        .order_by(col(Spooled.id))
        .limit(RUN)
        .with_for_update()
    )

    def is_free(lead: Spooled) -> bool:
        held = lead.claimed_until is not None and lead.claimed_until > now
        return lead.claimed_by == claimant or not held

    run = list(takewhile(is_free, await tx.scalars(first)))
    for lead in run:
        lead.claimed_by, lead.claimed_until = claimant, until
    await tx.flush()
    return run


async def note_answers(
    tx: Tx, claimant: UUID, delivered: Sequence[tuple[Spooled, Answer]]
) -> list[Spooled]:
    """Note how the leads of a run were answered; only the last of them may not have been taken.

    A lead that was taken is forgotten, a refused one kept for a person, for any other the next attempt is planned.
    Returns the next leads of the line, leased, unless its first one has to wait. Whoever has lost the lease changes
    nothing and goes no further.
    """
    path = delivered[0][0].path
    asked = [lead.id for lead, _ in delivered]
    query = select(Spooled).where(col(Spooled.id).in_(asked), col(Spooled.claimed_by) == claimant)
    mine = {lead.id: lead for lead in await tx.scalars(query.with_for_update())}
    taken = [lead.id for lead, answer in delivered if answer.is_taken and lead.id in mine]
    if taken:
        await tx.execute(delete(Spooled).where(col(Spooled.id).in_(taken)))
        if any(mine[lead_id].attempts for lead_id in taken):
            await _wake(tx)
    last, answer = delivered[-1]
    if not answer.is_taken and last.id in mine:
        _plan(tx, mine[last.id], answer)
        # The line may move on; what is written above must be seen by the next statement.
        await tx.flush()
    if len(mine) < len(delivered) or (not answer.is_taken and mine[last.id].state == WAITING):
        await give_back(tx, claimant, path)
        return []
    return await _lease(tx, claimant, path)


def _plan(tx: Tx, row: Spooled, answer: Answer) -> None:
    """Write on a lead that was not taken what is to become of it."""
    now = tx.clock.now()
    status = answer.status
    age = timedelta(days=tx.settings(GatewaySettings).spool_max_age_days)
    row.attempts += 1
    row.last_status = status
    row.claimed_by = row.claimed_until = None
    row.problem = "the service does not answer" if status is None else f"the service said {status}"
    if answer.problem:
        row.problem += f": {answer.problem}"
    row.next_at = now + timedelta(seconds=pause_seconds(row.attempts))
    if status is not None and is_refused(status):
        row.state = REFUSED
    elif now - row.received_at >= age or breaks(status, row.attempts):
        row.state = STUCK


async def give_back(tx: Tx, claimant: UUID, path: str) -> None:
    """Give the leases on a line back, so that it waits for nobody."""
    await tx.execute(
        update(Spooled)
        .where(col(Spooled.path) == path, col(Spooled.claimed_by) == claimant)
        .values(claimed_by=None, claimed_until=None)
    )


async def _wake(tx: Tx) -> None:
    """The service is back: let every line move, however long its own pause still is."""
    now = tx.clock.now()
    await tx.execute(
        update(Spooled)
        .where(
            col(Spooled.state) == WAITING,
            col(Spooled.next_at) > now,
            col(Spooled.last_status).is_(None) | (col(Spooled.last_status) != BROKEN),
        )
        .values(next_at=now)
    )


async def retry_one(tx: Tx, lead_id: UUID) -> None:
    """Try one lead again at once; it takes its old place in line. Raises `LeadUnknown`."""
    found = await tx.scalar(
        update(Spooled)
        .where(col(Spooled.id) == lead_id, col(Spooled.claimed_by).is_(None))
        .values(state=WAITING, next_at=tx.clock.now(), attempts=0)
        .returning(col(Spooled.id))
    )
    if found is None:
        raise LeadUnknown("It has been delivered, or is being delivered just now")


async def drop(tx: Tx, lead_id: UUID) -> None:
    """Forget a lead that its service has refused. Raises `LeadUnknown` for one that may still be delivered."""
    found = await tx.scalar(
        delete(Spooled)
        .where(col(Spooled.id) == lead_id, col(Spooled.state) != WAITING)
        .returning(col(Spooled.id))
    )
    if found is None:
        raise LeadUnknown("Only a lead that was refused or is stuck can be dropped")


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
