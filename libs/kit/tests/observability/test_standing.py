"""A process that is alive and does nothing says where its tasks stand."""

import asyncio

from kantis_kit.observability.standing import where_tasks_stand


async def inner(never: asyncio.Event) -> None:
    await never.wait()


async def outer(never: asyncio.Event) -> None:
    await inner(never)


async def test_tasks_that_wait_are_told_with_the_way_to_where_they_wait():
    never = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(outer(never), name=f"queue-{number}") for number in range(3)]
        await asyncio.sleep(0)

        told = [place for place in where_tasks_stand() if "queue" in place]

        for one in waiting:
            one.cancel()
    assert len(told) == 1
    assert told[0].startswith("3 × queue: outer (test_standing.py:")
    assert told[0].index("> inner (") < told[0].index("> Event.wait (locks.py:")


async def test_who_asks_is_not_told_of():
    assert not any("test_who_asks" in place for place in where_tasks_stand())
