"""Deadlines that share a timer end what is late, and nothing else."""

import asyncio

import pytest

from kantis_kit.web.deadlines import Deadlines

HOUR = 3_600


async def late(deadlines):
    with deadlines.begin():
        await asyncio.Event().wait()


async def test_whatever_is_late_is_ended_and_told_so():
    deadlines = Deadlines(0)

    ends = await asyncio.gather(*(late(deadlines) for _ in range(3)), return_exceptions=True)
    with pytest.raises(TimeoutError):
        await late(deadlines)

    assert [TimeoutError] * 3 == [type(end) for end in ends]


async def test_what_ends_in_time_is_left_alone_while_others_are_late():
    deadlines = Deadlines(0)

    with deadlines.begin():
        pass
    with pytest.raises(TimeoutError):
        await late(deadlines)
    task = asyncio.current_task()

    assert 0 == (task.cancelling() if task else None)


async def test_an_error_of_the_task_itself_passes():
    with pytest.raises(KeyError), Deadlines(HOUR).begin():
        raise KeyError


async def test_a_cancellation_by_somebody_else_is_no_timeout():
    task = asyncio.ensure_future(late(Deadlines(HOUR)))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_inner_deadline_ends_the_inner_block_alone():
    reached = []

    with Deadlines(HOUR).begin():
        with pytest.raises(TimeoutError):
            await late(Deadlines(0))
        reached.append("after")

    assert ["after"] == reached


async def test_a_deadline_that_was_moved_holds_from_then_on():
    reached = []

    async def moved():
        with Deadlines(HOUR).begin() as deadline:
            deadline.move(deadline.due_at + HOUR)
            deadline.expire()
            await asyncio.sleep(0)
            reached.append("the first moment")
            deadline.expire()
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await moved()

    assert ["the first moment"] == reached


def test_a_loop_that_has_ended_leaves_no_deadline_behind():
    deadlines = Deadlines(0)

    for _ in range(2):
        with pytest.raises(TimeoutError):
            asyncio.run(late(deadlines))
