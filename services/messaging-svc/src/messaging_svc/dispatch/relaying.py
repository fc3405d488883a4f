"""Every mail server has a desk of its own (`mailing`); here a message gets the one for its domain, or is told to wait.

A message goes to the first relay of its domain that is there. When one cannot be reached, what was claimed for it goes
to the next; what was handed over and has not begun is decided on anew by the ledger. Nothing whose content has left goes
anywhere: the same rules as with a single server decide, so that no message goes by two.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from kantis_kit import observability
from kantis_kit.clock import Clock
from messaging_svc.dispatch.ledger import Ledger, Outcome
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.mailing import Mailing
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.waiting import Waiting
from messaging_svc.dispatch.watching import Watch, until
from messaging_svc.relays.routes import Relay, Route, Routes
from messaging_svc.relays.sharing import Standing
from messaging_svc.relays.sql import FOR_DOMAIN, FOR_RELAY
from messaging_svc.relays.traffic import PutOff, Traffic, nameless
from messaging_svc.settings import MessagingSettings
from messaging_svc.wire.answers import Refused

log = observability.get_logger(__name__)

_PATIENCE_SECONDS = 0.25
"""So long a message whose relay is busy keeps those of other relays waiting; then it waits in the ledger."""
_BUSY_SECONDS = 5.0
_AWAY_SECONDS = 10.0

Make = Callable[[Relay, Watch, int], Mailing]


@dataclass(eq=False)
class _Counter:
    """A relay, its desk, and what was claimed for it."""

    relay: Relay
    mailing: Mailing
    since: datetime
    queue: Waiting[Item] = field(default_factory=Waiting)
    was_up: bool = False
    is_jammed: bool = False

    @property
    def is_away(self) -> bool:
        return self.mailing.pool.is_away

    @property
    def may_try(self) -> bool:
        return self.mailing.may_try and self.queue.empty()


class Relaying:
    """The desk of all mail servers."""

    def __init__(
        self, settings: MessagingSettings, clock: Clock, ledger: Ledger, make: Make
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._make = make
        self._most_claimed = max(1, settings.sender_batch // 2)
        self._chance = random.Random()  # noqa: S311 - jitter, not a secret
        self._routes = Routes([])
        self.traffic = Traffic(self._chance)
        self._counters: dict[object, _Counter] = {}
        self._leaving: list[_Counter] = []
        self._made = 0
        self._room = asyncio.Event()
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._is_ending = False
        self.has_returned = False
        """Whether a relay has come back that was away; whoever has told others so sets it back."""
        ledger.committed = self._committed

    # -- from the queue to the relays --------------------------------------------------------------------------------

    async def run(
        self,
        queue: "asyncio.Queue[Item | None]",
        stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        """Send what comes until None comes."""
        self._queue, self._stopping = queue, stopping
        async with asyncio.TaskGroup() as self._group:
            for counter in self._counters.values():
                self._start(counter)
            is_last = False
            while not is_last:
                batch = [await queue.get()]
                while not queue.empty():
                    batch.append(queue.get_nowait())
                is_last = None in batch
                await self._pass_on([item for item in batch if item is not None])
                taken()
            self._is_ending = True
            for counter in list(self._counters.values()):
                await self._ledger.give_back(_emptied(counter))
                counter.queue.put_nowait(None)

    def close(self, *, all_is_told: bool) -> None:
        """End the journals."""
        for counter in self._all:
            counter.mailing.close(all_is_told=all_is_told)

    async def _pass_on(self, items: Sequence[Item]) -> None:
        now = self._clock.now()
        for item in items:
            counter = self._counter_of(item, now)
            if counter is None:
                continue
            if counter.queue.qsize() >= self._most_claimed:
                await self._until_room(counter)
                now = self._clock.now()
                if counter.queue.qsize() >= self._most_claimed:
                    self._wait_behind(counter, item, now)
                    continue
            counter.queue.put_nowait(item)

    async def urge(self, items: Sequence[Item]) -> bool:
        """Send these before all others, each by the relay of its domain; what one cannot take waits at its head."""
        now, by_counter = self._clock.now(), defaultdict[_Counter, list[Item]](list)
        for item in items:
            counter = self._counter_of(item, now)
            if counter is not None:
                by_counter[counter].append(item)
        for counter, mine in by_counter.items():
            if not await counter.mailing.urge(mine):
                for item in mine:
                    counter.queue.put_nowait(item)
        return True

    def ahead(self) -> Collection[UUID]:
        """Return the cells of what is handed over and has not begun."""
        return {cell for one in self._all for cell in one.mailing.ahead()}

    def take_back(self, sources: Collection[UUID]) -> None:
        """Have what of these cells is handed over and has not begun decided on anew."""
        for one in self._all:
            one.mailing.take_back(sources)

    @property
    def _all(self) -> Sequence[_Counter]:
        """All relays, with those that go no more."""
        return (*self._counters.values(), *self._leaving)

    def _counter_of(self, item: Item, now: datetime) -> _Counter | None:
        """Return where a message leaves; None when it has to wait, which the ledger knows."""
        route = self._routes.to(item.email.rpartition("@")[2])
        if self.traffic.concerns(route):
            waits = self.traffic.admit(item, route, now)
            if waits is not None:
                self._put_off(item, FOR_DOMAIN, waits)
                return None
        counter = self._counter_for(route)
        if counter is None:
            self._give_up_for_now(item, route, now)
        return counter

    def _counter_for(self, route: Route) -> _Counter | None:
        """Return the first relay that is there; while none at all is, the first one, where the message waits for it."""
        first = None
        for relay_id in route.relays:
            counter = self._counters.get(relay_id)
            if counter is None:
                continue
            if not counter.is_away or counter.may_try:
                return counter
            first = first or counter
        return None if self.has_another else first

    async def _until_room(self, counter: _Counter) -> None:
        """Wait for room; without end while there is nobody else whom that could delay."""
        others = [one for one in self._counters.values() if one is not counter and not one.is_away]
        if others and counter.is_jammed:
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS if others else None):
                while counter.queue.qsize() >= self._most_claimed and not self._stopping.is_set():
                    self._room.clear()
                    await until(self._room, self._stopping)
        except TimeoutError:
            counter.is_jammed = True

    def _wait_behind(self, counter: _Counter, item: Item, now: datetime) -> None:
        self.gone(item)
        pause = timedelta(seconds=_BUSY_SECONDS * self._chance.uniform(0.2, 1))
        until = now if self._stopping.is_set() else now + pause
        self._put_off(item, FOR_RELAY, PutOff(until, f"{counter.relay.name} is busy"))

    def _give_up_for_now(self, item: Item, route: Route, now: datetime) -> None:
        self.gone(item)
        pause = timedelta(seconds=_AWAY_SECONDS * self._chance.uniform(0.5, 1))
        names = [one.relay.name for one in map(self._counters.get, route.relays) if one is not None]
        why = f"{', '.join(names)} cannot be reached" if names else f"no relay for {route.lane}"
        self._put_off(item, FOR_RELAY, PutOff(now + pause, why))

    def _put_off(self, item: Item, rule: str, waits: PutOff) -> None:
        outcome = Outcome(
            item.id, item.fence, State.PLANNED.value, rule, waits.why[:500], waits.until
        )
        self._ledger.record(outcome)

    # -- what desks say ----------------------------------------------------------------------------------------------

    @property
    def is_watching(self) -> bool:
        """Say whether what goes well matters too."""
        return self.traffic.is_watching

    @property
    def has_another(self) -> bool:
        """Say whether any relay may be there."""
        return any(not one.is_away for one in self._counters.values())

    def answered(self, item: Item, refusal: Refused | None) -> None:
        """Learn how a domain fares."""
        route = self._routes.to(item.email.rpartition("@")[2])
        if refusal is None or refusal.is_permanent:
            self.traffic.answered(route)
        else:
            self.traffic.refused(route, refusal, self._clock.now())

    def gone(self, item: Item) -> None:
        """Give its place to another one."""
        self.traffic.ended(item.id, self._clock.now())

    def changed(self) -> None:
        """Note which relays came or went; what was claimed for one that is away goes elsewhere."""
        for counter in self._counters.values():
            is_up = counter.mailing.pool.is_open
            if is_up != counter.was_up:
                self.has_returned |= is_up
                counter.was_up, counter.since = is_up, self._clock.now()
            if counter.is_away and self.has_another and not self._is_ending:
                self._send_elsewhere(counter)
        self._room.set()

    def _send_elsewhere(self, counter: _Counter) -> None:
        for item in _emptied(counter):
            self.gone(item)
            self._queue.put_nowait(item)

    def _committed(self, outcomes: Sequence[Outcome]) -> None:
        for counter in self._all:
            counter.mailing.committed(outcomes)

    # -- relays come and go ------------------------------------------------------------------------------------------

    def adopt(self, routes: Routes) -> None:
        """Send by these relays from now on; what is on its way by another one ends there."""
        self._routes = routes
        for relay_id, counter in list(self._counters.items()):
            if routes.relays.get(counter.relay.id) != counter.relay:
                self._leave(self._counters.pop(relay_id))
        for relay_id, relay in routes.relays.items():
            if relay_id not in self._counters:
                self._made += 1
                mailing = self._make(relay, self, self._made)
                counter = _Counter(relay, mailing, self._clock.now())
                self._counters[relay_id] = counter
                if self._group is not None:
                    self._start(counter)
        self._room.set()

    def _start(self, counter: _Counter) -> None:
        if self._group is not None:
            self._group.create_task(self._keep(counter))

    async def _keep(self, counter: _Counter) -> None:
        def taken() -> None:
            counter.is_jammed = False
            self._room.set()

        await counter.mailing.run(counter.queue, self._stopping, taken)
        if counter in self._leaving:
            await self._ledger.settled()
            counter.mailing.close(all_is_told=True)
            self._leaving.remove(counter)

    def _leave(self, counter: _Counter) -> None:
        log.info("relays.left", relay=counter.relay.name)
        self._leaving.append(counter)
        self._send_elsewhere(counter)
        counter.queue.put_nowait(None)

    def standing(self) -> list[Standing]:
        """Return how the relays fare."""
        return [
            Standing(
                id=one.relay.id,
                state="down" if one.is_away else "up" if one.mailing.pool.is_open else "idle",
                since=one.since,
                answer=nameless(one.mailing.last_answer),
                connections=one.mailing.pool.open_connections,
                waiting=one.queue.qsize(),
            )
            for one in self._counters.values()
        ]


def _emptied(counter: _Counter) -> list[Item]:
    items = []
    while not counter.queue.empty():
        item = counter.queue.get_nowait()
        if item is not None:
            items.append(item)
    return items
