"""The sender of a channel: claims batches, writes messages, hands them over on a few lines.

At most one message per line is between its hand-over and its recorded outcome: that is what a crash can leave in doubt.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Generic

from kantis_contracts.base import MAX_ITEMS
from kantis_kit import failpoints, observability
from kantis_kit.db.database import Listener, is_away
from kantis_kit.service import Service
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.carriers import Carrier, Line, Lost, MessageT, Refused
from messaging_svc.dispatch.ledger import Ledger, Outcome
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.model import State
from messaging_svc.quarantine.guard import Guard
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.errors import CannotRender

log = observability.get_logger(__name__)

IDLE_SECONDS = 0.5
"""Leases and pauses are looked at this often; new rows wake the sender at once."""
_ANNOUNCE_SECONDS = 5.0
_GATHER_SECONDS = 0.05
_STOP_SECONDS = 5.0
_RESTART_SECONDS = 0.2
_FIRST_RETRY_SECONDS = 30.0
_LAST_RETRY_SECONDS = 3_600.0
_CONNECT_PAUSE_SECONDS = 1.0


class Sender(Generic[MessageT]):
    """The sender of one channel in one process."""

    def __init__(
        self, service: Service, settings: MessagingSettings, carrier: Carrier[MessageT]
    ) -> None:
        self._service = service
        self._settings = settings
        self._clock = service.clock
        self._carrier = carrier
        self._guard = Guard(service.scope, settings.data_dir)
        self._ledger = Ledger(service.scope, settings, self._guard)
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue()
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._has_more = False
        self._random = random.Random()  # noqa: S311 - jitter, not a secret

    def wake(self) -> None:
        """Say that rows have appeared or were decided on by hand."""
        self._woken.set()
        self._ledger.ends.set()

    def stop(self) -> None:
        """Take nothing new, end what is on the wire, give the rest back."""
        self._stopping.set()

    async def run(self) -> None:
        """Send until told to stop."""
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self._ledger.run()),
                group.create_task(self._announce()),
                group.create_task(
                    Listener(self._service.database, sql.NOTIFY_CHANNEL, self.wake).run()
                ),
            ]
            feeder = group.create_task(self._feed())
            workers = [group.create_task(self._work()) for _ in range(self._carrier.lines)]
            await self._stopping.wait()
            feeder.cancel()
            rest = []
            while not self._queue.empty():
                rest.append(self._queue.get_nowait())
            for _ in workers:
                self._queue.put_nowait(None)
            await asyncio.wait(workers)
            await self._ledger.settled()
            await self._ledger.give_back([item for item in rest if item is not None])
            await self._ledger.announce()
            for task in background:
                task.cancel()

    async def _feed(self) -> None:
        """Keep the queue filled: the next batch is claimed while the last one is sent."""
        loop = asyncio.get_running_loop()
        recover_at = 0.0
        while True:
            self._woken.clear()
            decided = 0
            try:
                if loop.time() >= recover_at:
                    await self._guard.look()
                    await self._ledger.recover()
                    recover_at = loop.time() + IDLE_SECONDS
                if self._queue.qsize() < self._settings.sender_batch // 2:
                    self._carrier.forget_old()
                    items, decided = await self._ledger.claim(self._carrier)
                    if items:
                        await self._guard.before_sending()
                    for item in items:
                        self._queue.put_nowait(item)
                    self._has_more = decided >= self._settings.sender_batch
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("sender.database_away", error=type(error).__name__)
            if not decided:
                await self._wait(self._woken, IDLE_SECONDS)

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

    async def _work(self) -> None:
        line = self._carrier.line()
        try:
            while (item := await self._queue.get()) is not None:
                await self._send(line, item)
                if self._has_more and self._queue.qsize() < self._settings.sender_batch // 2:
                    self._woken.set()
        except BaseException:
            # Without a goodbye: while one is said, the others would take up what this sender does not live to record.
            line.close()
            raise
        await line.quit()

    async def _send(self, line: Line[MessageT], item: Item) -> None:
        try:
            message = self._carrier.write(item, at=self._clock.now())
        except CannotRender as error:
            self._record(item, State.FAILED, rule="cannot_be_written", reason=str(error))
            return
        if not await self._begin(line, item, message):
            return
        await failpoints.reach("dispatch.after_rcpt")
        if not await self._ledger.hand_over(item):
            return
        if self._clock.now() >= item.claimed_until + self._ledger.lease:
            # We were asleep for so long that another sender may have taken over.
            line.close()
            return
        await failpoints.reach("dispatch.before_data")
        try:
            answer = await line.deliver(message)
        except Refused as refusal:
            self._record_refusal(item, refusal)
        except Lost as loss:
            self._record_loss(item, loss)
        else:
            await failpoints.reach("dispatch.after_answer")
            self._record(item, State.ACCEPTED, reason=answer)

    async def _begin(self, line: Line[MessageT], item: Item, message: MessageT) -> bool:
        """Get the line as far as it can be repeated freely; whatever fails here was not handed over."""
        while not self._stopping.is_set():
            if self._clock.now() >= item.claimed_until:
                return False
            try:
                await line.begin(message)
            except Lost as loss:
                log.warning("sender.server_away", error=type(loss).__name__)
                await self._pause()
            except Refused as refusal:
                if line.is_open:
                    self._record_refusal(item, refusal)
                    return False
                log.warning("sender.server_refuses", error=str(refusal)[:100])
                await self._pause()
            else:
                return True
        await self._ledger.give_back([item])
        return False

    async def _pause(self) -> None:
        await self._wait(self._stopping, self._random.uniform(0.1, 1) * _CONNECT_PAUSE_SECONDS)

    def _record(self, item: Item, state: State, *, rule: str = "", reason: str = "") -> None:
        self._ledger.record(Outcome(item.id, item.fence, state.value, rule, reason[:500]))

    def _record_refusal(self, item: Item, refusal: Refused) -> None:
        if refusal.is_permanent:
            self._record(item, State.FAILED, rule="refused", reason=str(refusal))
        elif item.attempts + 1 >= self._settings.max_attempts:
            self._record(item, State.FAILED, rule="gave_up", reason=str(refusal))
        else:
            self._retry(item, str(refusal))

    def _record_loss(self, item: Item, loss: Lost) -> None:
        if loss.is_unknown and (item.is_marketing or not self._carrier.repeats):
            self._record(item, State.IN_DOUBT, rule="no_answer", reason=str(loss))
        elif item.attempts + 1 >= self._settings.max_attempts:
            self._record(item, State.FAILED, rule="gave_up", reason=str(loss))
        else:
            self._retry(item, str(loss))

    def _retry(self, item: Item, reason: str) -> None:
        pause = min(_LAST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 4**item.attempts)
        next_at = self._clock.now() + timedelta(seconds=pause * self._random.uniform(0.8, 1.2))
        self._ledger.record(
            Outcome(item.id, item.fence, State.PLANNED.value, "put_off", reason[:500], next_at)
        )


async def run_sender(
    service: Service, settings: MessagingSettings, make: Callable[[], Carrier[MessageT]]
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
