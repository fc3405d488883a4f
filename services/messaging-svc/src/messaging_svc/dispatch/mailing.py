"""The e-mail channel: from claimed rows to what became of them.

A claimed message is written, noted in the journal, handed over (committed in the ledger, many at a time) and waits, for
milliseconds, until a connection takes it. At most `sender_ahead` are handed over and without an outcome; of these at
most one per connection is on the wire, and only that one is in doubt after a kill.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from kantis_kit import observability
from kantis_kit.clock import Clock
from messaging_svc.dispatch.ledger import Ledger, Outcome
from messaging_svc.dispatch.letters import Item, Letters
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.outcomes import Retries, ended
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.errors import CannotRender
from messaging_svc.verp import ReturnPath
from messaging_svc.wire.answers import Lost, Refused
from messaging_svc.wire.connection import Parcel
from messaging_svc.wire.dkim import Signer
from messaging_svc.wire.journal import Journal, Mark
from messaging_svc.wire.pool import Pool
from messaging_svc.wire.server import Server

log = observability.get_logger(__name__)

_STALE_SECONDS = 2.0
"""What was asked to be handed over and has not begun after this long is decided on anew. Whoever takes a no waits for a
little longer than this before it is answered (`tracking.usecases`): so nothing begins after the answer."""
_RETURNS_AT_ONCE = 3
_LONGEST_RETURN_SECONDS = 60.0
_LOOK_SECONDS = 0.25


class Mailing:
    """The desk of one mail server."""

    def __init__(
        self,
        *,
        settings: MessagingSettings,
        clock: Clock,
        ledger: Ledger,
        letters: Letters,
        return_path: ReturnPath,
        server: Server,
        journal: Journal | None,
        signer: Signer | None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._ledger = ledger
        self._letters = letters
        self._return_path = return_path
        self._journal = journal
        self._signer = signer
        self._ready: deque[_Handed] = deque()
        self._slots: dict[tuple[UUID, int], int] = {}
        # Without a journal nobody knows after a kill what had begun: then only as much as may be in doubt.
        self._widest = settings.sender_ahead if journal else settings.sender_concurrency
        self._window = self._narrowest = min(self._widest, 2 * settings.sender_concurrency)
        self._under_way = self._ended = 0
        self._look_at = 0.0
        self._room = asyncio.Event()
        self._room.set()
        self._reachable = asyncio.Event()
        self._is_over = False
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self._retries = Retries(clock, self._random, max_attempts=settings.max_attempts)
        self._pool = Pool(server, self, settings.sender_concurrency, self._opened)
        ledger.committed = self._committed

    # -- from the queue to the wire ----------------------------------------------------------------------------------

    async def run(
        self,
        queue: "asyncio.Queue[Item | None]",
        stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        """Send what comes until None comes; `taken` is called after each step."""
        try:
            async with asyncio.TaskGroup() as group:
                watcher = group.create_task(self._watch())
                pool = group.create_task(self._pool.run())
                pump = group.create_task(self._pump(queue, stopping, taken))
                await asyncio.wait({watcher, pump}, return_when=asyncio.FIRST_COMPLETED)
                if self._failed.done():
                    return  # the group raises what the watcher raised
                await pump
                self._take_ready_back()
                self._pool.finish()
                await pool
                watcher.cancel()
        except BaseException:
            # Without a goodbye: while one is said, others would take up what this sender does not live to record.
            self._is_over = True
            self._pool.abort()
            raise

    def close(self, *, all_is_told: bool) -> None:
        """End the journal; when not all is told, the next sender reads it."""
        if self._journal is None:
            return
        if all_is_told:
            self._journal.remove()
        else:
            self._journal.close()

    async def _watch(self) -> None:
        await self._failed

    async def _pump(
        self,
        queue: "asyncio.Queue[Item | None]",
        stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        while (first := await queue.get()) is not None:
            batch = [first]
            if not await self._until(self._room, stopping) or not await self._until_reachable(
                first, stopping
            ):
                await self._ledger.give_back(batch)
                continue
            is_last = False
            while len(batch) < self._free() and not queue.empty():
                item = queue.get_nowait()
                if item is None:
                    is_last = True
                    break
                batch.append(item)
            taken()
            await self._hand_over(batch)
            if is_last:
                return

    def _fit_window(self) -> None:
        """Hand over as much ahead as went out in the last half second: a slow server's messages wait in the ledger."""
        now = asyncio.get_running_loop().time()
        if now >= self._look_at:
            self._window = max(self._narrowest, min(self._widest, 2 * self._ended))
            self._look_at, self._ended = now + _LOOK_SECONDS, 0

    def _free(self) -> int:
        free = self._window - self._under_way
        return min(free, self._journal.room) if self._journal else free

    async def _until_reachable(self, item: Item, stopping: asyncio.Event) -> bool:
        while not self._pool.is_open:
            if self._clock.now() >= item.claimed_until:
                return False
            self._reachable.clear()
            self._pool.want()
            if not await self._until(self._reachable, stopping):
                return False
        return True

    @staticmethod
    async def _until(event: asyncio.Event, stopping: asyncio.Event) -> bool:
        """Wait for the event; False when the stop comes first."""
        if event.is_set():
            return True
        waits = {asyncio.ensure_future(event.wait()), asyncio.ensure_future(stopping.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return event.is_set()

    async def _hand_over(self, batch: Sequence[Item]) -> None:
        now = self._clock.now()
        parcels = [
            parcel
            for item in batch
            if item.claimed_until > now and (parcel := self._written(item, now)) is not None
        ]
        if not parcels:
            return
        self._under_way += len(parcels)
        self._fit_window()
        self._show_room()
        stale_at = asyncio.get_running_loop().time() + _STALE_SECONDS
        granted = await self._ledger.hand_over_all([one.item for one in parcels])
        for parcel, is_granted in zip(parcels, granted, strict=True):
            parcel.stale_at = stale_at
            if is_granted:
                self._ready.append(parcel)
            else:
                self._under_way -= 1
                self._forget(parcel.item)
        self._show_room()
        self._pool.poke(lambda: len(self._ready))

    def _written(self, item: Item, now: datetime) -> "_Handed | None":
        try:
            recipient, mail = self._letters.write(item, at=now)
        except CannotRender as error:
            self._ledger.record(ended(item, State.FAILED, "cannot_be_written", str(error)))
            return None
        if self._signer is not None:
            mail = self._signer.sign(mail)
        if self._journal is not None:
            self._slots[item.id, item.fence] = self._journal.note(item.id, item.fence)
        sender = self._return_path.of(item.id) or self._letters.sender
        return _Handed(sender, recipient, mail, item, now + self._ledger.lease)

    def _opened(self) -> None:
        self._reachable.set()
        self._pool.poke(lambda: len(self._ready))

    def _show_room(self) -> None:
        if self._free() > 0:
            self._room.set()
        else:
            self._room.clear()

    # -- what connections ask and say --------------------------------------------------------------------------------

    def take(self) -> Parcel | None:
        """Return the next message that is handed over."""
        while self._ready:
            parcel = self._ready.popleft()
            if self._may_begin(parcel):
                return parcel
            self.put_back(parcel)
        return None

    def begins(self, parcel: Parcel) -> bool:
        """Note that the content leaves; False when we slept so long that another sender may have taken over."""
        handed = _handed(parcel)
        if not self._may_begin(handed):
            self.put_back(parcel)
            return False
        self._mark(handed.item, Mark.BEGUN)
        return True

    def _may_begin(self, parcel: "_Handed") -> bool:
        return (
            asyncio.get_running_loop().time() < parcel.stale_at
            and self._clock.now() < parcel.leased_until
        )

    def put_back(self, parcel: Parcel) -> None:
        """Have it decided on anew: nothing of it was sent, and no attempt is counted."""
        item = _handed(parcel).item
        next_at, often = self._clock.now(), item.fence - item.attempts - _RETURNS_AT_ONCE
        if often > 0:
            pause = min(_LONGEST_RETURN_SECONDS, 0.1 * 2 ** min(often, 10))
            next_at += timedelta(seconds=pause * self._random.uniform(0.5, 1))
        self._end(
            item, Outcome(item.id, item.fence, State.PLANNED.value, "", "", next_at, is_spared=True)
        )

    def accepted(self, parcel: Parcel, answer: str) -> None:
        """Record it."""
        item = _handed(parcel).item
        self._mark(item, Mark.ACCEPTED)
        self._end(item, Outcome(item.id, item.fence, State.ACCEPTED.value, "", answer))

    def refused(self, parcel: Parcel, refusal: Refused) -> None:
        """Record it, and try again what the server only puts off."""
        item = _handed(parcel).item
        self._mark(item, Mark.REFUSED)
        if refusal.is_permanent:
            self._end(item, ended(item, State.FAILED, "refused", str(refusal)))
        else:
            self._end(item, self._retries.again(item, str(refusal)))

    def lost(self, parcel: Parcel, loss: Lost) -> None:
        """Record that nobody knows; marketing is not repeated."""
        item = _handed(parcel).item
        if item.is_marketing:
            self._end(item, ended(item, State.IN_DOUBT, "no_answer", str(loss)))
        else:
            self._end(item, self._retries.again(item, str(loss)))

    def fail(self, error: BaseException) -> None:
        """End the sender."""
        self._is_over = True
        if not self._failed.done():
            self._failed.set_exception(error)

    def _take_ready_back(self) -> None:
        while self._ready:
            item = self._ready.popleft().item
            now = self._clock.now()
            self._end(
                item, Outcome(item.id, item.fence, State.PLANNED.value, "", "", now, is_spared=True)
            )

    # -- what is recorded --------------------------------------------------------------------------------------------

    def _end(self, item: Item, outcome: Outcome) -> None:
        if self._is_over:
            return  # a sender that has failed records nothing: its journal and its leases speak for it
        self._ledger.record(outcome)
        # The outcome is committed before or with the next hand-over: there is room for it now.
        self._under_way -= 1
        self._ended += 1
        self._show_room()

    def _mark(self, item: Item, mark: Mark) -> None:
        if self._journal is not None and not self._is_over:
            self._journal.mark(self._slots[item.id, item.fence], mark)

    def _committed(self, outcomes: Sequence[Outcome]) -> None:
        """Forget what the ledger knows."""
        for outcome in outcomes:
            slot = self._slots.pop((outcome.id, outcome.fence), None)
            if slot is not None and self._journal is not None:
                self._journal.free(slot)
        self._show_room()

    def _forget(self, item: Item) -> None:
        self._committed([Outcome(item.id, item.fence, "")])


class _Handed(Parcel):
    """A written message of the ledger."""

    __slots__ = ("item", "leased_until", "stale_at")

    def __init__(
        self, sender: str, recipient: str, content: bytes, item: Item, leased_until: datetime
    ) -> None:
        super().__init__(sender, recipient, content)
        self.item = item
        self.leased_until = leased_until
        self.stale_at = 0.0


def _handed(parcel: Parcel) -> _Handed:
    return cast("_Handed", parcel)  # what a connection gives back is what it was given
