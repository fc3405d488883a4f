"""The e-mail channel: from claimed rows to what became of them.

A claimed message is written, noted in the journal, handed over (committed in the ledger, many at a time) and waits, for
milliseconds, until a connection takes it. At most `sender_ahead` are handed over and without an outcome; of these at
most one per connection is on the wire, and only that one is in doubt after a kill.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from kantis_kit.clock import Clock
from messaging_svc.dispatch.handed import Handed, Notes, handed_of
from messaging_svc.dispatch.ledger import Ledger, Outcome
from messaging_svc.dispatch.letters import Item, Letters
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.outcomes import Retries, ended
from messaging_svc.dispatch.waiting import STALE_SECONDS, Window
from messaging_svc.dispatch.watching import Watch, until
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.errors import CannotRender
from messaging_svc.verp import ReturnPath
from messaging_svc.wire.answers import Lost, Refused
from messaging_svc.wire.connection import Parcel
from messaging_svc.wire.dkim import Signer
from messaging_svc.wire.journal import Journal, Mark
from messaging_svc.wire.pool import Pool
from messaging_svc.wire.server import Server

_ACCEPTED = State.ACCEPTED.value
_WRITTEN_AT_A_TIME = 32


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
        connections: int,
        journal: Journal | None,
        signer: Signer | None,
        watch: Watch,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._ledger = ledger
        self._letters = letters
        self._return_path = return_path
        self._notes = Notes(journal)
        self._signer = signer
        self._watch = watch
        self.last_answer = ""
        self._ready: deque[Handed] = deque()
        self._named: set[Handed] = set()  # with a connection; the content has not left
        # Without a journal nobody knows after a kill what had begun: then only as much as may be in doubt.
        widest = settings.sender_ahead if journal else connections
        self._window = Window(2 * connections, widest, self._notes)
        self._reachable = asyncio.Event()
        self._is_over = False
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self._retries = Retries(clock, self._random, max_attempts=settings.max_attempts)
        self._pool = Pool(
            server, self, connections, self._opened, closed=self._closed, failed=self._unreachable
        )

    @property
    def may_try(self) -> bool:
        """Say whether one message may find out whether a mail server that failed is good again."""
        return self._pool.is_on_trial and self._window.is_empty

    @property
    def pool(self) -> Pool:
        """The connections."""
        return self._pool

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
                watcher = group.create_task(self._until_failed())
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
        self._notes.close(all_is_told=all_is_told)

    async def _until_failed(self) -> None:
        await self._failed

    async def _pump(
        self,
        queue: "asyncio.Queue[Item | None]",
        stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        while (first := await queue.get()) is not None:
            batch = [first]
            if not await until(self._window.room, stopping) or not await self._until_reachable(
                first, stopping
            ):
                await self._ledger.give_back(batch)
                self._watch.gone(first)
                continue
            is_last = False
            while len(batch) < self._window.free and not queue.empty():
                item = queue.get_nowait()
                if item is None:
                    is_last = True
                    break
                batch.append(item)
            taken()
            await self._hand_over(batch)
            if is_last:
                return

    async def _until_reachable(self, item: Item, stopping: asyncio.Event) -> bool:
        while not self._pool.is_open:
            if self._clock.now() >= item.claimed_until:
                return False
            if self._pool.is_away and self._watch.has_another:
                return False
            self._reachable.clear()
            self._pool.want()
            if not await until(self._reachable, stopping):
                return False
        return True

    async def urge(self, items: Sequence[Item]) -> bool:
        """Hand these over beside the others and send them first; False while the mail server is away."""
        if not self._pool.is_open or self._notes.room < len(items):
            return False
        parcels = await self._write(items)
        if parcels:
            self._handed_over(
                parcels,
                await self._ledger.hand_over_at_once([p.item for p in parcels]),
                is_first=True,
            )
        return True

    async def _hand_over(self, batch: Sequence[Item]) -> None:
        parcels = await self._write(batch)
        if parcels:
            self._handed_over(parcels, await self._ledger.hand_over_all([p.item for p in parcels]))

    async def _write(self, batch: Sequence[Item]) -> list[Handed]:
        now = self._clock.now()
        parcels = []
        for start in range(0, len(batch), _WRITTEN_AT_A_TIME):
            parcels += [
                parcel
                for item in batch[start : start + _WRITTEN_AT_A_TIME]
                if item.claimed_until > now and (parcel := self._written(item, now)) is not None
            ]
            await asyncio.sleep(0)  # the connections go on meanwhile
        self._window.enter(len(parcels))
        stale_at = asyncio.get_running_loop().time() + STALE_SECONDS
        for parcel in parcels:
            parcel.stale_at = stale_at
        return parcels

    def _handed_over(
        self, parcels: Sequence[Handed], granted: Collection[UUID], *, is_first: bool = False
    ) -> None:
        allowed = []
        for parcel in parcels:
            if parcel.item.id in granted:
                allowed.append(parcel)
            else:
                self._window.withdraw()
                self._forget(parcel.item)
                self._watch.gone(parcel.item)
        if is_first:
            self._ready.extendleft(reversed(allowed))
        else:
            self._ready.extend(allowed)
        self._window.show_room()
        self._pool.poke(lambda: len(self._ready))

    def _written(self, item: Item, now: datetime) -> Handed | None:
        try:
            recipient, mail = self._letters.write(item, at=now)
        except CannotRender as error:
            self._ledger.record(ended(item, State.FAILED, "cannot_be_written", str(error)))
            self._watch.gone(item)
            return None
        if self._signer is not None:
            mail = self._signer.sign(mail)
        self._notes.note(item)
        sender = self._return_path.of(item.id) or self._letters.sender
        return Handed(sender, recipient, mail, item, now + self._ledger.lease)

    def _opened(self) -> None:
        self._reachable.set()
        self._watch.changed()
        self._pool.poke(lambda: len(self._ready))

    def _closed(self) -> None:
        if self._ready and not self._is_over:
            asyncio.get_running_loop().call_later(STALE_SECONDS, self._take_stale_back)

    def _take_stale_back(self) -> None:
        """Let the ledger have what no connection came for: its lease would end in doubt, and nothing of it was sent."""
        if not self._pool.is_open and not self._is_over:
            self._take_ready_back()

    def _unreachable(self, reason: str) -> None:
        self.last_answer = reason[:300]
        self._take_stale_back()
        self._reachable.set()
        self._watch.changed()

    # -- what connections ask and say --------------------------------------------------------------------------------

    def take(self) -> Parcel | None:
        """Return the next message that is handed over."""
        while self._ready:
            parcel = self._ready.popleft()
            if self._may_begin(parcel):
                self._named.add(parcel)
                return parcel
            self.put_back(parcel)
        return None

    def begins(self, parcel: Parcel) -> bool:
        """Note that the content leaves; False when it must not any more, or another sender may have taken over."""
        handed = self._handed_back(parcel)
        if not self._may_begin(handed):
            self.put_back(parcel)
            return False
        self._mark(handed.item, Mark.BEGUN)
        return True

    def _handed_back(self, parcel: Parcel) -> Handed:
        handed = handed_of(parcel)
        self._named.discard(handed)
        return handed

    def _may_begin(self, parcel: Handed) -> bool:
        return (
            asyncio.get_running_loop().time() < parcel.stale_at
            and self._clock.now() < parcel.leased_until
        )

    def put_back(self, parcel: Parcel) -> None:
        """Have it decided on anew: nothing of it was sent, and no attempt is counted."""
        item = self._handed_back(parcel).item
        if parcel.last_word is not None:
            self._watch.answered(item, parcel.last_word)
        self._end(item, self._retries.anew(item))

    def accepted(self, parcel: Parcel, answer: str) -> None:
        """Record it."""
        item = handed_of(parcel).item
        self._mark(item, Mark.ACCEPTED)
        self._heard(answer)
        if self._watch.is_watching:
            self._watch.answered(item, None)
        self._end(item, Outcome(item.id, item.fence, _ACCEPTED, "", answer))

    def refused(self, parcel: Parcel, refusal: Refused) -> None:
        """Record it, and try again what the server only puts off."""
        item = self._handed_back(parcel).item
        self._mark(item, Mark.REFUSED)
        self._heard(str(refusal))
        self._watch.answered(item, refusal)
        if refusal.is_permanent:
            self._end(item, ended(item, State.FAILED, "refused", str(refusal)))
        else:
            self._end(item, self._retries.again(item, str(refusal)))

    def _heard(self, answer: str) -> None:
        self.last_answer = answer
        if self._pool.is_on_trial:
            self._pool.trust()

    def lost(self, parcel: Parcel, loss: Lost) -> None:
        """Record that nobody knows; marketing is not repeated."""
        item = handed_of(parcel).item
        if item.is_marketing:
            self._end(item, ended(item, State.IN_DOUBT, "no_answer", str(loss)))
        else:
            self._end(item, self._retries.again(item, str(loss)))

    def fail(self, error: BaseException) -> None:
        """End the sender."""
        self._is_over = True
        if not self._failed.done():
            self._failed.set_exception(error)

    def ahead(self) -> Collection[UUID]:
        """Return the cells of what is handed over and has not begun."""
        return {one.item.source_id for one in (*self._ready, *self._named) if one.item.source_id}

    def take_back(self, sources: Collection[UUID]) -> None:
        """Have what of these cells is handed over and has not begun decided on anew."""
        for one in self._named:
            if one.item.source_id in sources:
                one.stale_at = 0.0  # its connection asks before the content leaves
        self._take_ready_back(lambda item: item.source_id in sources)

    def _take_ready_back(self, is_meant: Callable[[Item], bool] = lambda _: True) -> None:
        ready = list(self._ready)
        self._ready = deque(one for one in ready if not is_meant(one.item))
        for item in [one.item for one in ready if is_meant(one.item)]:
            self._end(item, self._retries.anew(item, at_once=True))

    # -- what is recorded --------------------------------------------------------------------------------------------

    def _end(self, item: Item, outcome: Outcome) -> None:
        if self._is_over:
            return  # a sender that has failed records nothing: its journal and its leases speak for it
        self._ledger.record(outcome)
        if self._watch.is_watching:
            self._watch.gone(item)
        self._window.end()

    def _mark(self, item: Item, mark: Mark) -> None:
        if not self._is_over:
            self._notes.mark(item, mark)

    def committed(self, outcomes: Sequence[Outcome]) -> None:
        """Forget what the ledger knows."""
        self._notes.forget((outcome.id, outcome.fence) for outcome in outcomes)
        self._window.show_room()

    def _forget(self, item: Item) -> None:
        self.committed([Outcome(item.id, item.fence, "")])
