"""Messages that leave one by one: each on a line of its own, handed over and committed just before it leaves."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Generic

from kantis_kit import failpoints, observability
from kantis_kit.clock import Clock
from messaging_svc.dispatch.carriers import Line, LineCarrier, Lost, MessageT, Refused
from messaging_svc.dispatch.ledger import Ledger
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.outcomes import Retries, ended
from messaging_svc.templates.errors import CannotRender

log = observability.get_logger(__name__)

_CONNECT_PAUSE_SECONDS = 1.0


class Lines(Generic[MessageT]):
    """The desk of a channel that sends one by one, on so many lines at once."""

    def __init__(
        self, carrier: LineCarrier[MessageT], ledger: Ledger, clock: Clock, *, max_attempts: int
    ) -> None:
        self._carrier = carrier
        self._ledger = ledger
        self._clock = clock
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self._retries = Retries(clock, self._random, max_attempts=max_attempts)

    async def run(
        self,
        queue: "asyncio.Queue[Item | None]",
        stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        """Send what comes until None comes."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._carrier.lines):
                group.create_task(self._work(queue, stopping, taken))

    def close(self, *, all_is_told: bool) -> None:
        """Nothing is kept."""

    async def _work(
        self,
        queue: "asyncio.Queue[Item | None]",
        stopping: asyncio.Event,
        taken: Callable[[], None],
    ) -> None:
        line = self._carrier.line()
        try:
            while (item := await queue.get()) is not None:
                await self._send(line, item, stopping)
                taken()
            queue.put_nowait(None)  # for the next worker
        except BaseException:
            # Without a goodbye: while one is said, the others would take up what this sender does not live to record.
            line.close()
            raise
        await line.quit()

    async def _send(self, line: Line[MessageT], item: Item, stopping: asyncio.Event) -> None:
        try:
            message = self._carrier.write(item, at=self._clock.now())
        except CannotRender as error:
            self._record(item, State.FAILED, rule="cannot_be_written", reason=str(error))
            return
        if not await self._begin(line, item, message, stopping):
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

    async def _begin(
        self, line: Line[MessageT], item: Item, message: MessageT, stopping: asyncio.Event
    ) -> bool:
        """Get the line as far as it can be repeated freely; whatever fails here was not handed over."""
        while not stopping.is_set():
            if self._clock.now() >= item.claimed_until:
                return False
            try:
                await line.begin(message)
            except Lost as loss:
                log.warning("sender.server_away", error=type(loss).__name__)
                await self._pause(stopping)
            except Refused as refusal:
                if line.is_open:
                    self._record_refusal(item, refusal)
                    return False
                log.warning("sender.server_refuses", error=str(refusal)[:100])
                await self._pause(stopping)
            else:
                return True
        await self._ledger.give_back([item])
        return False

    async def _pause(self, stopping: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._random.uniform(0.1, 1) * _CONNECT_PAUSE_SECONDS):
                await stopping.wait()

    def _record(self, item: Item, state: State, *, rule: str = "", reason: str = "") -> None:
        self._ledger.record(ended(item, state, rule, reason))

    def _record_refusal(self, item: Item, refusal: Refused) -> None:
        if refusal.is_permanent:
            self._record(item, State.FAILED, rule="refused", reason=str(refusal))
        else:
            self._ledger.record(self._retries.again(item, str(refusal)))

    def _record_loss(self, item: Item, loss: Lost) -> None:
        if loss.is_unknown and (item.is_marketing or not self._carrier.repeats):
            self._record(item, State.IN_DOUBT, rule="no_answer", reason=str(loss))
        else:
            self._ledger.record(self._retries.again(item, str(loss)))
