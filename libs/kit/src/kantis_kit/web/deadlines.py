"""Deadlines of many short tasks: what `asyncio.timeout` does, at a fifth of its price.

All tasks of one `Deadlines` have the same time, so the one that began first is late first: one timer stands for all.
"""

import asyncio
from collections import deque
from types import TracebackType


class Deadline:
    """The deadline of the task that enters it; `TimeoutError` leaves the block when it was late."""

    __slots__ = ("_all", "_cancelling", "_is_late", "due_at", "moved_to", "task")

    def __init__(self, among: "Deadlines") -> None:
        self._all = among
        self._cancelling = 0
        self._is_late = False
        self.task: asyncio.Task[object] | None = None
        self.due_at = self.moved_to = 0.0

    def __enter__(self) -> "Deadline":
        self.task = task = asyncio.current_task()
        if task is None:
            message = "a deadline is one of a task"
            raise RuntimeError(message)
        self._cancelling = task.cancelling()
        self._all.enter(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        task, self.task = self.task, None
        self._all.leave()
        if self._is_late and task is not None:
            # A cancellation that somebody else has asked for as well goes on.
            is_ours = task.uncancel() <= self._cancelling
            if is_ours and kind is not None and issubclass(kind, asyncio.CancelledError):
                raise TimeoutError from error

    def move(self, when: float) -> None:
        """Give more time: until this moment of the loop's clock."""
        self.moved_to = when

    def expire(self) -> None:
        """End the task, when it has not come to its end and has got no more time."""
        if self.task is None:
            return
        if self.moved_to > self.due_at:
            self.due_at = self.moved_to
            asyncio.get_running_loop().call_at(self.due_at, self.expire)
        else:
            self._is_late = True
            self.task.cancel()


class Deadlines:
    """So many seconds for each block: `with deadlines.begin(): ...`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: deque[Deadline] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_timed = False

    def begin(self) -> Deadline:
        """Return the deadline of a block that begins now."""
        return Deadline(self)

    def enter(self, one: Deadline) -> None:
        """Count the time of a task from now on."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # what belonged to a loop that has ended has ended with it
            self._loop, self._is_timed = loop, False
            self._running.clear()
        one.due_at = loop.time() + self._seconds
        self._running.append(one)
        if not self._is_timed:
            self._is_timed = True
            loop.call_at(one.due_at, self._look)

    def leave(self) -> None:
        """Forget those that have come to their end."""
        running = self._running
        while running and running[0].task is None:
            running.popleft()

    def _look(self) -> None:
        """End what is late, and look again when the next one may be."""
        loop, running = asyncio.get_running_loop(), self._running
        now = loop.time()
        while running and (running[0].task is None or running[0].due_at <= now):
            running.popleft().expire()
        self._is_timed = bool(running)
        if running:
            loop.call_at(running[0].due_at, self._look)


__all__ = ["Deadline", "Deadlines"]
