"""Messages that leave one by one, as requests: handed over many together, then each on the next line that is free.

As with mails (`mailing`), what was handed over and has not begun is nobody's doubt: the journal says so after a kill, and
what does not begin soon is decided on anew. Only what is on its way on one of the lines can be left in doubt.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Generic
from uuid import UUID

from kantis_kit import failpoints, observability
from kantis_kit.clock import Clock
from messaging_svc.dispatch.carriers import LineCarrier, Lost, MessageT, Refused
from messaging_svc.dispatch.handed import Notes
from messaging_svc.dispatch.ledger import Ledger, Outcome
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.outcomes import Retries, ended
from messaging_svc.dispatch.waiting import STALE_SECONDS, Waiting, Window
from messaging_svc.dispatch.watching import until
from messaging_svc.templates.errors import CannotRender
from messaging_svc.wire.journal import Journal, Mark

log = observability.get_logger(__name__)

_AWAY_PAUSE_SECONDS = 1.0
_PLANNED = State.PLANNED.value


@dataclass(slots=True, eq=False)
class _Handed(Generic[MessageT]):
    item: Item
    message: MessageT
    stale_at: float
    leased_until: datetime

    @property
    def is_marketing(self) -> bool:
        return self.item.is_marketing


class Lines(Generic[MessageT]):
    """The desk of a channel that sends one by one, on so many lines at once."""

    def __init__(
        self,
        carrier: LineCarrier[MessageT],
        ledger: Ledger,
        clock: Clock,
        *,
        max_attempts: int,
        most_ahead: int,
        journal: Journal | None,
    ) -> None:
        self._carrier = carrier
        self._ledger = ledger
        self._clock = clock
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self._retries = Retries(clock, self._random, max_attempts=max_attempts)
        self._notes = Notes(journal)
        # Without a journal nobody knows after a kill what had begun: then only as much as may be in doubt.
        widest = most_ahead if journal else carrier.lines
        self._window = Window(2 * carrier.lines, widest, self._notes)
        self._ready: Waiting[_Handed[MessageT]] = Waiting()
        self._is_over = False
        ledger.committed = self._committed

    async def run(
        self,
        queue: "asyncio.Queue[Item | None]",
        stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        """Send what comes until None comes."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._carrier.lines):
                group.create_task(self._work())
            await self._pump(queue, stopping, taken)
            self._take_ready_back(lambda _: True)
            self._is_over = True
            for _ in range(self._carrier.lines):
                self._ready.put_nowait(None)

    def ahead(self) -> Collection[UUID]:
        """Return the cells of what is handed over and has not begun."""
        ready = self._emptied()
        for one in ready:
            self._ready.put_nowait(one)
        return {one.item.source_id for one in ready if one.item.source_id}

    def take_back(self, sources: Collection[UUID]) -> None:
        """Have what of these cells is handed over and has not begun decided on anew."""
        self._take_ready_back(lambda item: item.source_id in sources)

    async def urge(self, items: Sequence[Item]) -> bool:
        """Hand these over beside the others and send them first; False while the other side is left alone."""
        if self._carrier.is_away or self._notes.room < len(items):
            return False
        written = self._write(items)
        if written:
            asked = [one.item for one in written]
            self._handed_over(written, await self._ledger.hand_over_at_once(asked))
        return True

    def close(self, *, all_is_told: bool) -> None:
        """End the journal; when not all is told, the next sender reads it."""
        self._notes.close(all_is_told=all_is_told)

    # -- from the queue to the lines ---------------------------------------------------------------------------------

    async def _pump(
        self,
        queue: "asyncio.Queue[Item | None]",
        stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        while (first := await queue.get()) is not None:
            batch, is_last = [first], False
            if not await until(self._window.room, stopping) or not await self._until_there(
                first, stopping
            ):
                await self._ledger.give_back(batch)
                continue
            while len(batch) < self._window.free and not queue.empty():
                item = queue.get_nowait()
                if item is None:
                    is_last = True
                    break
                batch.append(item)
            taken()
            written = self._write(batch)
            if written:
                asked = [one.item for one in written]
                self._handed_over(written, await self._ledger.hand_over_all(asked))
            if is_last:
                return

    async def _until_there(self, item: Item, stopping: asyncio.Event) -> bool:
        """Wait while the other side is left alone; False when the claim or the sender ends first."""
        while self._carrier.is_away:
            if self._clock.now() >= item.claimed_until or stopping.is_set():
                return False
            with suppress(TimeoutError):
                async with asyncio.timeout(self._random.uniform(0.1, 1) * _AWAY_PAUSE_SECONDS):
                    await stopping.wait()
        return True

    def _write(self, items: Sequence[Item]) -> list[_Handed[MessageT]]:
        now, written = self._clock.now(), []
        stale_at = asyncio.get_running_loop().time() + STALE_SECONDS
        for item in items:
            if item.claimed_until <= now:
                continue
            try:
                message = self._carrier.write(item, at=now)
            except CannotRender as error:
                self._ledger.record(ended(item, State.FAILED, "cannot_be_written", str(error)))
                continue
            self._notes.note(item)
            written.append(_Handed(item, message, stale_at, now + self._ledger.lease))
        self._window.enter(len(written))
        return written

    def _handed_over(self, written: Sequence[_Handed[MessageT]], granted: Collection[UUID]) -> None:
        # No line may come for it while all of them wait for answers: its lease would end in doubt.
        asyncio.get_running_loop().call_later(STALE_SECONDS, self._take_stale_back)
        for one in written:
            if one.item.id in granted:
                self._ready.put_nowait(one)
            else:
                self._window.withdraw()
                self._committed([Outcome(one.item.id, one.item.fence, "")])
        self._window.show_room()

    # -- on a line ---------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while (one := await self._ready.get()) is not None:
            if not self._may_begin(one) or self._carrier.is_away:
                self._end(self._retries.anew(one.item))
            else:
                await self._send(one.item, one.message)

    def _may_begin(self, one: _Handed[MessageT]) -> bool:
        """Say whether it is ours still: after a long sleep another sender may have taken over."""
        return (
            asyncio.get_running_loop().time() < one.stale_at
            and self._clock.now() < one.leased_until
        )

    async def _send(self, item: Item, message: MessageT) -> None:
        await failpoints.reach("dispatch.before_data")
        self._notes.mark(item, Mark.BEGUN)
        try:
            answer = await self._carrier.deliver(message)
        except Refused as refusal:
            self._notes.mark(item, Mark.REFUSED)
            self._end(self._after_refusal(item, refusal))
        except Lost as loss:
            self._end(self._after_loss(item, loss))
        else:
            await failpoints.reach("dispatch.after_answer")
            self._notes.mark(item, Mark.ACCEPTED)
            self._end(ended(item, State.ACCEPTED, reason=answer))

    def _after_refusal(self, item: Item, refusal: Refused) -> Outcome:
        if refusal.is_permanent:
            return ended(item, State.FAILED, "refused", str(refusal))
        return self._retries.again(item, str(refusal))

    def _after_loss(self, item: Item, loss: Lost) -> Outcome:
        if loss.is_unknown and (item.is_marketing or not self._carrier.repeats):
            return ended(item, State.IN_DOUBT, "no_answer", str(loss))
        return self._retries.again(item, str(loss))

    # -- what is recorded --------------------------------------------------------------------------------------------

    def _take_stale_back(self) -> None:
        for one in self._emptied():
            if asyncio.get_running_loop().time() < one.stale_at:
                self._ready.put_nowait(one)
            else:
                self._end(self._retries.anew(one.item))

    def _take_ready_back(self, is_meant: Callable[[Item], bool]) -> None:
        now = self._clock.now()
        for one in self._emptied():
            if is_meant(one.item):
                self._end(
                    Outcome(one.item.id, one.item.fence, _PLANNED, next_at=now, is_spared=True)
                )
            else:
                self._ready.put_nowait(one)

    def _emptied(self) -> list[_Handed[MessageT]]:
        found: list[_Handed[MessageT]] = []
        if self._is_over:
            return found  # what is left tells the lines to end
        while not self._ready.empty():
            one = self._ready.get_nowait()
            if one is not None:
                found.append(one)
        return found

    def _end(self, outcome: Outcome) -> None:
        self._ledger.record(outcome)
        self._window.end()

    def _committed(self, outcomes: Sequence[Outcome]) -> None:
        """Forget what the ledger knows."""
        self._notes.forget((outcome.id, outcome.fence) for outcome in outcomes)
        self._window.show_room()
