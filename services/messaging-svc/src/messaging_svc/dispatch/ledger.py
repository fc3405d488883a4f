"""The sender's hand on the ledger: claims, hand-overs and outcomes, many in one transaction.

Whoever sends asks for a hand-over and waits; while one transaction commits, the next one's requests gather. No timer
is involved: a lone message is handed over at once, a crowd shares its commits.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from kantis_kit import failpoints, observability
from kantis_kit.db.database import is_away
from kantis_kit.ids import new_id
from kantis_kit.tx import Scope, Tx, write
from messaging_svc.caps import spending
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.carriers import Claimant
from messaging_svc.dispatch.events import messages_settled
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.queries import sources_of
from messaging_svc.holds import spikes
from messaging_svc.holds.spikes import Sent
from messaging_svc.quarantine.guard import Guard
from messaging_svc.settings import MessagingSettings

log = observability.get_logger(__name__)

ACTOR = "sender"
_AWAY_PAUSE_SECONDS = 0.5
_BOUNCED = (State.FAILED.value, "refused")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message that was claimed; `next_at` when it will be tried again."""

    id: UUID
    fence: int
    state: str
    rule: str = ""
    reason: str = ""
    next_at: datetime | None = None
    is_spared: bool = False
    """Nothing was attempted after the hand-over: it counts for nothing."""


@dataclass(slots=True)
class _Wish:
    item: Item
    granted: "asyncio.Future[bool]"


class Ledger:
    """One sender's hand on the ledger."""

    def __init__(self, scope: Scope, settings: MessagingSettings, guard: Guard) -> None:
        self._scope = scope
        self._guard = guard
        self._settings = settings
        self._me = new_id()
        self._wishes: list[_Wish] = []
        self._outcomes: list[Outcome] = []
        self._woken = asyncio.Event()
        self._idle = asyncio.Event()
        self.ends = asyncio.Event()
        """Set when messages may have ended that nobody has been told of."""
        self.ends.set()
        self._idle.set()
        self.committed: Callable[[Sequence[Outcome]], None] = _nobody
        """Called with outcomes that are durable now."""

    @property
    def me(self) -> UUID:
        """The name under which this sender claims."""
        return self._me

    @property
    def lease(self) -> timedelta:
        """How long a claim or a hand-over holds without news."""
        return timedelta(seconds=self._settings.sender_lease_seconds)

    # -- claims ------------------------------------------------------------------------------------------------------

    async def claim(self, carrier: Claimant) -> tuple[list[Item], int]:
        """Claim what is due and pass it through the gate; return what may be sent, and how many were decided."""
        now = self._scope.clock.now()
        today, tomorrow = spending.days_of(now, self._settings)
        async with write(self._scope, actor=ACTOR) as tx:
            result = await tx.execute(
                sql.CLAIM,
                {
                    "now": now,
                    "today": today,
                    "tomorrow": tomorrow,
                    "until": now + self.lease,
                    "me": self._me,
                    "channel": carrier.channel,
                    "channels": list(carrier.takes),
                    "epoch": self._guard.epoch,
                    "limit": self._settings.sender_batch,
                    "person_grace": self._settings.person_grace_seconds,
                    "permission_grace": self._settings.permission_grace_seconds,
                },
            )
            rows = result.all()
            items = [Item.of(row, email=row.email) for row in rows if row.state == State.CLAIMED]
            if items:
                await carrier.prepare(tx, items)
            short = [row.id for row in rows if row.rule == "waits_for_budget"]
            if short and await spending.note_reached(tx, short, today):
                log.warning("sending.budget_reached", messages=len(short))
        if len(items) < len(rows):
            self.ends.set()
        if rows:
            await failpoints.reach("dispatch.after_claim")
        return items, len(rows)

    async def give_back(self, items: Sequence[Item], *, at: datetime | None = None) -> None:
        """Let others have what was claimed and not handed over."""
        if not items:
            return
        async with write(self._scope, actor=ACTOR) as tx:
            await self._give_back(tx, items, at or self._scope.clock.now())

    async def _give_back(self, tx: Tx, items: Sequence[Item], at: datetime) -> None:
        await tx.execute(
            sql.GIVE_BACK,
            {
                "ids": [i.id for i in items],
                "fences": [i.fence for i in items],
                "me": self._me,
                "at": at,
            },
        )

    async def recover(self) -> None:
        """End leases that ran out, ours or another sender's."""
        async with write(self._scope, actor=ACTOR) as tx:
            ended = await tx.scalars(sql.RECOVER, {"now": self._scope.clock.now()})
            if any(ended):
                self.ends.set()

    # -- hand-overs and outcomes -------------------------------------------------------------------------------------

    def record(self, outcome: Outcome) -> None:
        """Have an outcome written, in the order of the calls and before any later hand-over."""
        self._outcomes.append(outcome)
        self._idle.clear()
        self._woken.set()

    async def hand_over(self, item: Item) -> bool:
        """Mark the message as handed over; False when it is not ours or not allowed any more."""
        wish = _Wish(item, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        self._idle.clear()
        self._woken.set()
        return await wish.granted

    async def hand_over_all(self, items: Sequence[Item]) -> list[bool]:
        """Mark messages as handed over, together; say of each whether it is ours and allowed still."""
        loop = asyncio.get_running_loop()
        wishes = [_Wish(item, loop.create_future()) for item in items]
        self._wishes += wishes
        self._idle.clear()
        self._woken.set()
        return [await wish.granted for wish in wishes]

    async def settled(self) -> None:
        """Wait until everything that was asked for is committed."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write, for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            wishes, self._wishes = self._wishes, []
            outcomes, self._outcomes = self._outcomes, []
            await self._write(wishes, outcomes)
            if not self._wishes and not self._outcomes:
                self._idle.set()

    async def _write(self, wishes: Sequence[_Wish], outcomes: Sequence[Outcome]) -> None:
        granted: set[UUID] = set()
        try:
            granted = await self._commit(wishes, outcomes)
            if outcomes:
                self.committed(outcomes)
        except Exception as error:
            if not is_away(error):
                raise
            # Nobody knows whether it was committed. A hand-over that may have been marked is not acted on: its lease
            # decides. Outcomes can be written twice: they wait for the database.
            log.warning("sender.database_away", error=type(error).__name__)
            await asyncio.sleep(_AWAY_PAUSE_SECONDS)
            self._outcomes[:0] = outcomes
            self._woken.set()
        for wish in wishes:
            if not wish.granted.done():
                wish.granted.set_result(wish.item.id in granted)

    async def _commit(self, wishes: Sequence[_Wish], outcomes: Sequence[Outcome]) -> set[UUID]:
        now = self._scope.clock.now()
        granted: set[UUID] = set()
        async with write(self._scope, actor=ACTOR) as tx:
            if outcomes:
                text = orjson.dumps(outcomes, default=str).decode()
                await tx.execute(sql.RECORD, {"outcomes": text, "now": now})
            if wishes:
                granted = await self._mark(tx, [wish.item for wish in wishes], now)
        if outcomes:
            self.ends.set()
        return granted

    async def _mark(self, tx: Tx, items: Sequence[Item], now: datetime) -> set[UUID]:
        today, _ = spending.days_of(now, self._settings)
        affordable = await spending.within_budget(tx, [i.id for i in items], today)
        asked = items if affordable is None else [i for i in items if i.id in affordable]
        persons = sorted({i.person_id for i in asked if i.is_marketing and i.person_id})
        locked = list(await tx.scalars(sql.LOCK_PERSONS, {"persons": persons})) if persons else []
        marked = await tx.scalars(
            sql.MARK,
            {
                "ids": [i.id for i in asked],
                "fences": [i.fence for i in asked],
                "emails": [i.email for i in asked],
                "ahead": _ahead(asked),
                "locked": locked,
                "me": self._me,
                "epoch": self._guard.epoch,
                "now": now,
                "until": now + self.lease,
            },
        )
        granted = set(marked)
        if affordable is not None and granted:
            await spending.count_spending(tx, granted, today)
        refused = [i for i in items if i.id not in granted]
        if refused:
            await self._give_back(tx, refused, now)
        return granted

    # -- telling the others ------------------------------------------------------------------------------------------

    async def announce(self) -> int:
        """Publish the ends that nobody has been told of, up to a thousand at a time; return how many."""
        async with write(self._scope, actor=ACTOR) as tx:
            rows = (await tx.execute(sql.ANNOUNCE)).all()
            if rows:
                sources = await sources_of(tx, {row.source_id for row in rows if row.source_id})
                tx.stage(messages_settled(_with_source(rows, sources)))
                await spikes.count_sent(tx, _sent(rows))
        return len(rows)


def _nobody(_outcomes: Sequence[Outcome]) -> None:
    """Hear nothing."""


@dataclass(frozen=True, slots=True)
class _Ended:
    id: UUID
    piece_id: UUID | None
    campaign_id: UUID | None
    cell_id: UUID | None
    person_id: UUID | None
    channel: str
    state: str
    rule: str
    reason: str
    settled_at: datetime


def _with_source(rows: Sequence[Row[Any]], sources: dict[UUID, tuple[UUID, UUID]]) -> list[_Ended]:
    return [
        _Ended(
            id=row.id,
            piece_id=row.piece_id,
            campaign_id=sources[row.source_id][0] if row.source_id else None,
            cell_id=sources[row.source_id][1] if row.source_id else None,
            person_id=row.person_id,
            channel=row.channel,
            state=row.state,
            rule=row.rule,
            reason=row.reason,
            settled_at=row.settled_at,
        )
        for row in rows
    ]


def _sent(rows: Sequence[Row[Any]]) -> list[Sent]:
    """Return what of these ends has gone out, or was refused by the mail server for good."""
    return [
        Sent(row.origin_id, row.settled_at, is_bounced=row.state == State.FAILED)
        for row in rows
        if row.origin == "campaign"
        and (row.state in (State.ACCEPTED, State.IN_DOUBT) or (row.state, row.rule) == _BOUNCED)
    ]


def _ahead(items: Sequence[Item]) -> list[int]:
    """Return of each message how many to the same person stand before it: one snapshot sees none of them as sent."""
    seen: Counter[UUID | None] = Counter()
    ahead = []
    for item in items:
        ahead.append(seen[item.person_id])
        seen[item.person_id] += item.is_marketing
    return ahead
