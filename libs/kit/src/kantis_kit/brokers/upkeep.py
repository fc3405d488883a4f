"""What both adapters need to outlive their broker: a kept connection, and a deadline that always holds."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from kantis_kit.errors import BrokerError

log = structlog.get_logger("kantis.broker")

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
STOP_AGAIN_SECONDS = 1.0

T = TypeVar("T")


class Kept:
    """A connection that is opened again, with backoff and jitter, whenever it is lost.

    `hold` connects, calls `ready()` on this object, and returns or raises when the connection is gone.
    """

    def __init__(self, name: str, hold: Callable[["Kept"], Awaitable[None]]) -> None:
        self.name = name
        self.is_up = False
        self.error: Exception | None = None
        self._hold = hold
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, within_seconds: float) -> None:
        """Return when the connection is up for the first time.

        Raises:
            BrokerError: the first attempt failed, or took too long.
        """
        self._begin()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                while not self.is_up and self.error is None:
                    await self.changed()
        if not self.is_up:
            error = self.error
            await self.stop()
            message = f"the broker does not answer ({self.name}): {describe(error) if error else 'no answer in time'}"
            raise BrokerError(message) from error

    async def stop(self) -> None:
        """Give the connection up."""
        task, self._task = self._task, None
        self.is_up = False
        while task is not None and not task.done():
            # Asked again: a library that is just connecting may take the first wish to end for a failure of its own.
            task.cancel()
            await asyncio.wait({task}, timeout=STOP_AGAIN_SECONDS)

    def ready(self) -> None:
        """Tell, from inside `hold`, that the connection works."""
        self.is_up, self.error = True, None
        self._tell()

    async def changed(self) -> None:
        """Wait for the connection to come or go."""
        await self._changed.wait()

    async def up(self) -> None:
        """Wait until the connection is up."""
        while not self.is_up:
            await self.changed()

    def _begin(self) -> None:
        self.error = None  # of an earlier start
        self._task = spawn(self._keep())

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._hold(self)
                error: Exception = ConnectionResetError("the connection was closed")
            except Exception as reason:  # noqa: BLE001 - whatever ends a connection, it must come back
                error = reason
            if self.is_up:
                pause = FIRST_PAUSE_SECONDS
                log.warning("broker.lost", connection=self.name, reason=describe(error))
            self.is_up, self.error = False, error
            self._tell()
            # Jitter: all services lose the broker at the same moment and must not come back at the same moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def spawn(work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Start work that its owner keeps, and ends in its own `stop`."""
    return asyncio.create_task(work)  # noqa: TID251 - an adapter lives between start and stop, not in one block


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns, or raise TimeoutError after `seconds`, even if its cancellation hangs.

    `asyncio.timeout` waits for the cancelled code to finish; a database or broker that has stopped answering can make
    that last for ever, so the work is left to end behind our back.
    """
    task = spawn(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            _ending.add(task)
            task.add_done_callback(_forget)
    if not task.done():
        raise TimeoutError
    return task.result()


_ending: set[asyncio.Task[Any]] = set()


def _forget(task: asyncio.Task[Any]) -> None:
    _ending.discard(task)
    if not task.cancelled():
        task.exception()  # Read it, or asyncio reports it as never retrieved.


def describe(error: BaseException) -> str:
    """Return a one-line reason that names no credentials."""
    return (
        f"{type(error).__name__}: {str(error).splitlines()[0]}"
        if str(error)
        else type(error).__name__
    )
