"""The one place where tests wait: until something holds, not for a while."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.05


T = TypeVar("T")


@overload
async def eventually(
    check: Callable[[], Coroutine[Any, Any, T]],
    *,
    message: str,
    within: float = ...,
    retry_on: tuple[type[Exception], ...] = ...,
) -> T: ...


@overload
async def eventually(
    check: Callable[[], T],
    *,
    message: str,
    within: float = ...,
    retry_on: tuple[type[Exception], ...] = ...,
) -> T: ...


async def eventually(
    check: Callable[[], Any],
    *,
    message: str,
    within: float = 60.0,
    retry_on: tuple[type[Exception], ...] = (),
) -> Any:
    """Wait until `check` returns something true, and return it.

    Args:
        check: asked again and again, soon at first and then every 50 ms; may be a coroutine function.
        message: what did not come true, for the one who reads the failure.
        within: seconds; a guard against hanging, not a measure. A check that is under way then is cancelled.
        retry_on: errors that mean "not yet", as a refused connection while a process restarts.

    Raises:
        AssertionError: it did not come true in time; tells what `check` returned or raised last.
    """
    last: object = "nothing: the first check did not return"
    pause_seconds = _FIRST_PAUSE_SECONDS
    deadline = asyncio.timeout(within)
    try:
        async with deadline:
            while True:
                try:
                    found = check()
                    value = await found if inspect.isawaitable(found) else found
                    if value:
                        return value
                    last = value
                except retry_on as error:
                    last = error
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(pause_seconds * 1.5, _LONGEST_PAUSE_SECONDS)
    except TimeoutError:
        if not deadline.expired():
            raise  # the check's own
        failure = f"{message}: not within {within:g} s; last seen: {last!r}"
        raise AssertionError(failure) from None


async def pause(seconds: float) -> None:
    """Let time pass for real: for faults that are made of time (latency, bandwidth), never for a test to wait."""
    await asyncio.sleep(seconds)
