"""Time is injected: a service asks a clock, never the machine."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where a service gets the time from."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until that much of this clock's time has passed, or return earlier."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current moment."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that may ask the machine

    async def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        await asyncio.sleep(seconds)


class FrozenClock:
    """A clock that moves only when told: years pass in a test without waiting."""

    def __init__(self, at: datetime | None = None) -> None:
        self._now = at or datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Return the moment at which the clock stands."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward and wake all who sleep on this clock."""
        self.set(self._now + by)

    def set(self, at: datetime) -> None:
        """Jump to a moment and wake all who sleep on this clock."""
        self._now = at
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved past the wanted moment."""
        until = self._now + timedelta(seconds=seconds)
        while self._now < until:
            await self._moved.wait()
