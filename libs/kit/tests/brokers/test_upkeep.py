"""A kept connection comes back, and a deadline holds whatever the other side does."""

import asyncio
import gc

import pytest

from kantis_kit.brokers import upkeep
from kantis_kit.brokers.upkeep import Kept, describe, within
from kantis_kit.errors import BrokerError
from kantis_kit.testing.waiting import eventually


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(upkeep, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(upkeep, "LONGEST_PAUSE_SECONDS", 0.01)


class Line:
    """A connection that a test cuts."""

    def __init__(self) -> None:
        self.opened, self.closed = 0, 0
        self.cut = asyncio.Event()
        self.refuse: Exception | None = None

    async def hold(self, kept: Kept) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.opened += 1
        self.cut.clear()
        kept.ready()
        try:
            await self.cut.wait()
        finally:
            self.closed += 1


async def test_a_lost_connection_is_opened_again():
    line = Line()
    kept = Kept("line", line.hold)
    await kept.start(5)

    for times in range(1, 4):
        assert kept.is_up
        line.cut.set()
        await eventually(lambda times=times: line.opened == times + 1, message="opened again")
    await kept.up()
    await kept.stop()

    assert not kept.is_up
    assert (4, 4) == (line.opened, line.closed)


async def test_refusals_are_tried_again_until_it_works():
    line = Line()
    kept = Kept("line", line.hold)
    await kept.start(5)
    line.refuse = ConnectionRefusedError("nobody there")
    line.cut.set()
    await eventually(lambda: kept.error is line.refuse, message="it was refused")
    assert not kept.is_up

    line.refuse = None
    await kept.up()

    assert kept.error is None
    await kept.stop()


async def test_a_first_refusal_is_raised_and_a_later_start_works():
    line = Line()
    line.refuse = ConnectionRefusedError("nobody there")
    kept = Kept("line", line.hold)

    with pytest.raises(BrokerError, match=r"line.*nobody there"):
        await kept.start(5)
    line.refuse = None
    await kept.start(5)

    assert kept.is_up
    await kept.stop()


async def test_a_first_silence_is_raised():
    async def silent(_kept: Kept) -> None:
        await asyncio.Event().wait()

    with pytest.raises(BrokerError, match="no answer in time"):
        await Kept("line", silent).start(0.01)


async def test_work_in_time_returns_and_raises_its_own():
    async def works() -> int:
        return 7

    async def fails() -> None:
        raise KeyError("own")

    assert 7 == await within(5, works())
    with pytest.raises(KeyError, match="own"):
        await within(5, fails())


async def test_the_deadline_holds_even_when_the_cancellation_hangs():
    ended = asyncio.Event()
    release = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await release.wait()
            ended.set()

    with pytest.raises(TimeoutError):
        await within(0.01, stubborn())
    assert not ended.is_set()

    release.set()
    await ended.wait()


async def test_what_fails_after_the_deadline_is_not_reported_as_forgotten():
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    async def fails_late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("too late for anyone")

    with pytest.raises(TimeoutError):
        await within(0.01, fails_late())
    await eventually(lambda: not upkeep._ending, message="it has ended")
    gc.collect()

    assert [] == reported


async def test_cancelling_the_caller_cancels_the_work():
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    caller = asyncio.ensure_future(within(60, work()))
    await started.wait()
    caller.cancel()

    await cancelled.wait()
    assert await asyncio.wait({caller})
    assert caller.cancelled()


def test_reasons_are_one_line():
    assert "OSError: first" == describe(OSError("first\nsecond"))
    assert "TimeoutError" == describe(TimeoutError())


async def test_a_stop_that_a_connection_swallows_is_asked_for_again(monkeypatch):
    monkeypatch.setattr(upkeep, "STOP_AGAIN_SECONDS", 0.01)
    swallowed = []

    async def hold(kept: Kept) -> None:
        kept.ready()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if swallowed:
                raise
            swallowed.append(kept)
            await asyncio.Event().wait()

    kept = Kept("test", hold)
    await kept.start(5)
    await kept.stop()

    assert [kept] == swallowed
