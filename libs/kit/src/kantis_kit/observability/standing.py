"""Where the tasks of this process stand: for whoever finds a process alive that does nothing."""

import asyncio
from collections import Counter
from typing import Any

import structlog

log = structlog.get_logger("kantis.standing")

MOST_TASKS = 200


def where_tasks_stand() -> list[str]:
    """Return a line per place: how many tasks of the running loop wait there, and through which calls they came.

    `3 × consumer.run (consumer.py:118) > batches (rabbit_consumer.py:104) > wait (locks.py:213)`; the innermost call last.
    """
    current = asyncio.current_task()
    places = Counter(
        f"{task.get_name().split('-')[0]}: {_way(task.get_coro())}"
        for task in asyncio.all_tasks()
        if task is not current
    )
    return [f"{count} × {place}" for place, count in places.most_common(MOST_TASKS)]


def tell_where_tasks_stand() -> None:
    """Write it into the log, a line per place."""
    for place in where_tasks_stand():
        log.warning("process.stands", place=place)


_INSIDE = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))
"""How a coroutine, a generator and an asynchronous generator name their frame, and what they wait for."""


def _way(waiting: Any) -> str:
    """Follow what waits for what, from the task's own coroutine inwards."""
    calls = []
    while waiting is not None:
        frame, awaited = next(
            (
                (getattr(waiting, frame), getattr(waiting, awaited))
                for frame, awaited in _INSIDE
                if hasattr(waiting, frame)
            ),
            (None, None),
        )
        if frame is None:
            break
        code = frame.f_code
        calls.append(f"{code.co_qualname} ({code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno})")
        waiting = awaited
    return " > ".join(calls) or "ended"


__all__ = ["tell_where_tasks_stand", "where_tasks_stand"]
