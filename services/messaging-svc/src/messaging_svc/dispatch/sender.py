"""The sender of a channel: claims batches, has them handed over, and tells how they ended.

How messages leave is the channel's own (`Desk`): mails over a pool of connections, others one by one as requests. What a crash can leave in doubt is what was on the wire.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Protocol
from uuid import UUID

from kantis_contracts.base import MAX_ITEMS
from kantis_kit import observability
from kantis_kit.clock import Clock
from kantis_kit.db.database import Listener, is_away
from kantis_kit.service import Service
from kantis_kit.tx import Scope
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.carriers import Claimant
from messaging_svc.dispatch.ledger import Ledger
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.waiting import Waiting
from messaging_svc.quarantine.guard import Guard
from messaging_svc.settings import MessagingSettings

log = observability.get_logger(__name__)

IDLE_SECONDS = 0.5
"""Leases and pauses are looked at this often; new rows wake the sender at once."""
_FIRST_CLAIM = 64
_ANNOUNCE_SECONDS = 5.0
_GATHER_SECONDS = 0.05
_STOP_SECONDS = 5.0
_RESTART_SECONDS = 0.2


class Desk(Protocol):
    """Has messages leave: from what was claimed to what is recorded of it."""

    async def run(
        self,
        queue: "asyncio.Queue[Item | None]",
        stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        """Send what comes until None comes; `taken` is called when there is room for more."""
        ...

    def ahead(self) -> Collection[UUID]:
        """Return the cells of what is handed over and has not begun."""
        ...

    def take_back(self, sources: Collection[UUID]) -> None:
        """Have what of these cells is handed over and has not begun decided on anew."""
        ...

    async def urge(self, items: Sequence[Item]) -> bool:
        """Send these before all others; False when there is no way to, and they wait at the head of the queue."""
        ...

    def close(self, *, all_is_told: bool) -> None:
        """Let go of what was kept beside the ledger; when not all is told, whoever comes next reads it."""
        ...


class Carrier(Claimant, Protocol):
    """A channel, as the sender sees it."""

    def desk(self, ledger: Ledger, clock: Clock) -> Desk:
        """Return where its messages leave."""
        ...

    async def look(self, scope: Scope) -> None:
        """See to what stands beside the ledger, such as what senders of this channel left that have died."""
        ...

    def forget_old(self) -> None:
        """Drop what is held too long; called between batches."""
        ...

    async def close(self) -> None:
        """Let go of what the lines share."""
        ...


class Sender:
    """The sender of one channel in one process."""

    def __init__(self, service: Service, settings: MessagingSettings, carrier: Carrier) -> None:
        self._service = service
        self._settings = settings
        self._carrier = carrier
        self._guard = Guard(service.scope, settings.data_dir)
        self._ledger = Ledger(service.scope, settings, self._guard)
        self._queue: Waiting[Item] = Waiting()
        self._woken = asyncio.Event()
        self._urged = asyncio.Event()
        self._is_claiming = False
        self._stopping = asyncio.Event()
        self._has_more = False
        self._has_news = False

    def wake(self) -> None:
        """Say that rows have appeared or were decided on by hand, or that a launch must not go on."""
        self._has_news = True
        self._woken.set()
        self._urged.set()
        self._ledger.ends.set()

    def stop(self) -> None:
        """Take nothing new, end what is on the wire, give the rest back."""
        self._stopping.set()
        self._urged.set()

    async def run(self) -> None:
        """Send until told to stop."""
        desk = self._carrier.desk(self._ledger, self._service.clock)
        try:
            await self._run(desk)
        except BaseException:
            desk.close(all_is_told=False)
            raise
        desk.close(all_is_told=True)

    async def _run(self, desk: Desk) -> None:
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self._ledger.run()),
                group.create_task(self._announce()),
                group.create_task(
                    Listener(self._service.database, sql.NOTIFY_CHANNEL, self.wake).run()
                ),
            ]
            feeder = group.create_task(self._feed(desk))
            urgent = group.create_task(self._feed_urgent(desk))
            leaving = group.create_task(desk.run(self._queue, self._stopping, self._taken))
            await self._stopping.wait()
            feeder.cancel()
            await asyncio.wait({urgent})
            rest = []
            while not self._queue.empty():
                rest.append(self._queue.get_nowait())
            self._queue.put_nowait(None)
            await asyncio.wait({leaving})
            await self._ledger.settled()
            await self._ledger.give_back([item for item in rest if item is not None])
            await self._ledger.announce()
            for task in background:
                task.cancel()

    async def _feed(self, desk: Desk) -> None:
        """Keep the queue filled: the next batch is claimed while the last one is sent; take back what must not go on."""
        loop = asyncio.get_running_loop()
        recover_at, most = 0.0, _FIRST_CLAIM
        while True:
            self._woken.clear()
            decided = 0
            try:
                if self._has_news or loop.time() >= recover_at:
                    self._has_news = False
                    await self._hold_back(desk)
                if loop.time() >= recover_at:
                    await self._guard.look()
                    await self._carrier.look(self._service.scope)
                    await self._ledger.recover()
                    recover_at = loop.time() + IDLE_SECONDS
                if self._has_room:
                    self._carrier.forget_old()
                    decided = await self._claim(most)
                    self._has_more = decided >= most
                    most = self._more(most) if decided else _FIRST_CLAIM
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("sender.database_away", error=type(error).__name__)
            if not decided:
                await self._wait(self._woken, IDLE_SECONDS)

    async def _hold_back(self, desk: Desk) -> None:
        ahead = desk.ahead()
        if ahead and (held := await self._ledger.held(ahead)):
            desk.take_back(held)

    def _more(self, most: int) -> int:
        """Return how many are claimed next while there are so many.

        It begins with few, so that the first does not wait for a whole batch; and for few the database looks up each person
        by the key, where for a thousand it may read all of them.
        """
        return min(4 * most, self._settings.sender_batch)

    @property
    def _has_room(self) -> bool:
        return self._queue.qsize() < self._settings.sender_batch // 2

    async def _claim(self, most: int) -> int:
        self._is_claiming = True
        try:
            items, decided = await self._ledger.claim(
                self._carrier, most=min(most, self._settings.sender_batch)
            )
            if items:
                await self._guard.before_sending()
        finally:
            self._is_claiming = False
        for item in items:
            self._queue.put_nowait(item)
        return decided

    async def _feed_urgent(self, desk: Desk) -> None:
        """Claim what somebody waits for while a campaign fills the queue; ends by itself at the stop."""
        most = _FIRST_CLAIM
        while True:
            await self._urged.wait()
            self._urged.clear()
            if self._stopping.is_set():
                return
            if self._has_room and not self._is_claiming:
                continue  # the feeder takes it as fast
            try:
                items, decided = await self._ledger.claim(self._carrier, most=most, is_urgent=True)
                if items and not await desk.urge(items):
                    for item in items:
                        self._queue.put_nowait(item)
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("sender.database_away", error=type(error).__name__)
            else:
                if decided:
                    self._urged.set()
                most = self._more(most) if decided >= most else _FIRST_CLAIM

    @staticmethod
    async def _wait(event: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    async def _announce(self) -> None:
        while True:
            await self._wait(self._ledger.ends, _ANNOUNCE_SECONDS)
            # A pause lets ends gather, so that an event is about many of them.
            await asyncio.sleep(_GATHER_SECONDS)
            self._ledger.ends.clear()
            try:
                while await self._ledger.announce() >= MAX_ITEMS:
                    pass
            except Exception as error:
                if not is_away(error):
                    raise
                self._ledger.ends.set()

    def _taken(self) -> None:
        if self._has_more and self._has_room:
            self._woken.set()


async def run_sender(
    service: Service, settings: MessagingSettings, make: Callable[[], Carrier]
) -> None:
    """Run a sender as long as the service runs; at its stop, end what is on the wire first."""
    while True:
        carrier = make()
        sender = Sender(service, settings, carrier)
        task = asyncio.get_running_loop().create_task(
            sender.run(), name=f"messaging: {carrier.channel} sender at work"
        )
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            sender.stop()
            await asyncio.wait({task}, timeout=_STOP_SECONDS)
            task.cancel()
            await asyncio.wait({task})
            raise
        except Exception as error:
            log.warning("sender.failed", error=observability.name_of(error), exc_info=error)
            await asyncio.sleep(_RESTART_SECONDS)
        finally:
            await carrier.close()
