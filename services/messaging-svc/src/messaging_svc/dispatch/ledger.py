"""The sender's hand on the ledger: claims, hand-overs and outcomes, many in one transaction.

Whoever sends asks for a hand-over and waits; while one transaction commits, the next one's requests gather. A lone
message is handed over at once, a crowd shares its commits; only outcomes, for which nobody waits, wait for each other.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row

from kantis_kit import failpoints, observability
from kantis_kit.db.database import is_away
from kantis_kit.ids import new_id
from kantis_kit.tx import Scope, Tx, read, write
from messaging_svc.caps import spending
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.carriers import Claimant
from messaging_svc.dispatch.events import messages_settled
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.queries import sources_of
from messaging_svc.holds import spikes
from messaging_svc.holds.spikes import Sent
from messaging_svc.openings.usecases import put_off
from messaging_svc.quarantine.guard import Guard
from messaging_svc.settings import MessagingSettings

log = observability.get_logger(__name__)

ACTOR = "sender"
_AWAY_PAUSE_SECONDS = 0.5
_FAILED = State.FAILED.value
_BOUNCED = (_FAILED, "refused")
_GONE = frozenset({State.ACCEPTED.value, State.IN_DOUBT.value})
_TOLD_AT_ONCE = 32
"""So many ends that are recorded together are told in the same transaction; fewer wait for others (`announce`)."""
_CLAIMED = State.CLAIMED.value
_MANY_OUTCOMES = 256
_SOURCES_HELD = 1_024
_GATHER_SECONDS = 0.02
"""Outcomes wait so long for others: nobody waits for them, and one transaction of many costs little more than of one."""


class Outcome(NamedTuple):
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
    items: Sequence[Item]
    granted: "asyncio.Future[Collection[UUID]]"


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
        self._hurry = asyncio.Event()
        self._idle = asyncio.Event()
        self.ends = asyncio.Event()
        """Set when messages may have ended that nobody has been told of."""
        self.ends.set()
        self._idle.set()
        self._sources: dict[UUID, tuple[UUID | None, UUID | None]] = {}
        """Campaign and cell of what is being sent; they never change."""
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

    async def claim(
        self, carrier: Claimant, *, most: int | None = None, is_urgent: bool = False
    ) -> tuple[list[Item], int]:
        """Claim what is due and pass it through the gate; return what may be sent, and how many were decided.

        Args:
            carrier: of the channel.
            most: fewer than the usual batch.
            is_urgent: only what somebody waits for; no advertising.
        """
        now = self._scope.clock.now()
        today, tomorrow = spending.days_of(now, self._settings)
        async with write(self._scope, actor=ACTOR) as tx:
            result = await tx.execute(
                sql.CLAIM_URGENT if is_urgent else sql.CLAIM,
                {
                    "now": now,
                    "today": today,
                    "tomorrow": tomorrow,
                    "until": now + self.lease,
                    "me": self._me,
                    "channel": carrier.channel,
                    "channels": list(carrier.takes),
                    "epoch": self._guard.epoch,
                    "limit": most or self._settings.sender_batch,
                    "person_grace": self._settings.person_grace_seconds,
                    "permission_grace": self._settings.permission_grace_seconds,
                },
            )
            rows = result.all()
            items = [Item.first_of(row) for row in rows if row.state == _CLAIMED]
            if items:
                await carrier.prepare(tx, items)
            short = [row.id for row in rows if row.rule == "waits_for_budget"]
            if short and await spending.note_reached(tx, short, today):
                log.warning("sending.budget_reached", messages=len(short))
            await put_off(tx, rows, now=now)
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

    async def held(self, sources: Collection[UUID]) -> set[UUID]:
        """Return of these cells those whose launch was paused or has ended."""
        async with read(self._scope) as tx:
            return set(await tx.scalars(sql.HELD_SOURCES, {"sources": list(sources)}))

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
        if len(self._outcomes) == 1:
            self._idle.clear()
            self._woken.set()
        elif len(self._outcomes) == _MANY_OUTCOMES:
            self._hurry.set()

    async def hand_over(self, item: Item) -> bool:
        """Mark the message as handed over; False when it is not ours or not allowed any more."""
        return item.id in await self.hand_over_all([item])

    async def hand_over_all(self, items: Sequence[Item]) -> Collection[UUID]:
        """Mark messages as handed over, together; return those that are ours and allowed still."""
        wish = _Wish(items, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        self._idle.clear()
        self._woken.set()
        self._hurry.set()
        return await wish.granted

    async def hand_over_at_once(self, items: Sequence[Item]) -> Collection[UUID]:
        """Mark messages as handed over beside what others have asked for; return those that are ours and allowed."""
        wish = _Wish(items, asyncio.get_running_loop().create_future())
        await self._write([wish], [])
        return await wish.granted

    async def settled(self) -> None:
        """Wait until everything that was asked for is committed."""
        self._hurry.set()
        await self._idle.wait()

    async def run(self) -> None:
        """Write, for ever."""
        while True:
            await self._woken.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_GATHER_SECONDS):
                    await self._hurry.wait()
            self._woken.clear()
            self._hurry.clear()
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
                wish.granted.set_result(granted)

    async def _commit(self, wishes: Sequence[_Wish], outcomes: Sequence[Outcome]) -> set[UUID]:
        now = self._scope.clock.now()
        granted: set[UUID] = set()
        async with write(self._scope, actor=ACTOR) as tx:
            if outcomes:
                await self._record(tx, outcomes, now)
            if wishes:
                items = [item for wish in wishes for item in wish.items]
                granted = await self._mark(tx, items, now)
        return granted

    async def _record(self, tx: Tx, outcomes: Sequence[Outcome], now: datetime) -> None:
        ids, fences, states, rules, reasons, next_ats, spared = zip(*outcomes, strict=True)
        is_told = len(outcomes) >= _TOLD_AT_ONCE
        result = await tx.execute(
            sql.RECORD,
            {
                "ids": ids,
                "fences": fences,
                "states": states,
                "rules": rules,
                "reasons": reasons,
                "next_ats": next_ats,
                "spared": spared,
                "is_told": is_told,
                "now": now,
            },
        )
        if is_told:
            await self._tell(tx, [row for row in result.all() if row.settled_at is not None])
        else:
            self.ends.set()

    async def _mark(self, tx: Tx, items: Sequence[Item], now: datetime) -> set[UUID]:
        today, _ = spending.days_of(now, self._settings)
        budget = await spending.within_budget(tx, [i.id for i in items], today)
        asked = items if budget is None else [i for i in items if i.id in budget.affordable]
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
        if budget is not None:
            await spending.count_spending(tx, budget.uncounted & granted, today)
        refused = [i for i in items if i.id not in granted]
        if refused:
            await self._give_back(tx, refused, now)
        return granted

    # -- telling the others ------------------------------------------------------------------------------------------

    async def announce(self) -> int:
        """Publish the ends that nobody has been told of, up to a thousand at a time; return how many."""
        async with write(self._scope, actor=ACTOR) as tx:
            rows = (await tx.execute(sql.ANNOUNCE)).all()
            await self._tell(tx, rows)
        return len(rows)

    async def _tell(self, tx: Tx, rows: Sequence[Row[Any]]) -> None:
        if not rows:
            return
        missing = {row.source_id for row in rows if row.source_id} - self._sources.keys()
        if missing:
            if len(self._sources) > _SOURCES_HELD:
                self._sources.clear()
                missing = {row.source_id for row in rows if row.source_id}
            self._sources |= await sources_of(tx, missing)
        tx.stage(messages_settled(rows, self._sources))
        await spikes.count_sent(tx, _sent(rows))


def _nobody(_outcomes: Sequence[Outcome]) -> None:
    """Hear nothing."""


def _sent(rows: Iterable[Any]) -> list[Sent]:
    """Return what of these ends has gone out, or was refused by the mail server for good."""
    return [
        Sent(origin_id, at, state == _FAILED)
        for _, origin, origin_id, _, _, _, _, state, rule, _, at in rows
        if origin == "campaign" and (state in _GONE or (state, rule) == _BOUNCED)
    ]


def _ahead(items: Sequence[Item]) -> list[int]:
    """Return of each message how many to the same person stand before it: one snapshot sees none of them as sent."""
    seen: Counter[UUID | None] = Counter()
    ahead = []
    for item in items:
        ahead.append(seen[item.person_id])
        seen[item.person_id] += item.is_marketing
    return ahead
