"""Limits on bursts, in this process's memory: sliding windows on the injected clock.

Rules are written as `500/second` or `10/minute`. Quotas and spend caps are not here: they must survive a restart, so
they are rows of the service that spends.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

from limits import parse

from kantis_kit.clock import Clock

MAX_WINDOWS = 50_000
"""So many callers are remembered; a flood of addresses forgets the oldest instead of filling the memory."""


@dataclass(slots=True)
class Verdict:
    """Whether a request fits, and what the caller is told about it."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return what `headers` says of a request that was let in, as it goes over the wire."""
        return [
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % self.reset_seconds),
        ]

    def headers(self, *, refused: bool = False) -> dict[str, str]:
        """Return the RateLimit headers, with Retry-After for a refusal."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }
        if refused:
            told["Retry-After"] = str(self.reset_seconds)
        return told


class _Window:
    __slots__ = ("before", "count", "number")

    def __init__(self, number: int) -> None:
        self.number, self.count, self.before = number, 0, 0


class Burst:
    """Counts per caller in the present window, and weighs the one before by how much of it still slides in."""

    def __init__(self, rule: str, clock: Clock) -> None:
        item = parse(rule)
        self.limit = item.amount
        self._length = float(item.get_expiry())
        self._clock = clock
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def hit(self, who: str) -> Verdict:
        """Count one request of this caller, unless it exceeds the limit."""
        now = self._clock.now().timestamp()
        number, into = divmod(now, self._length)
        window = self._at(who, int(number))
        used = window.count + window.before * (1 - into / self._length)
        allowed = used + 1 <= self.limit
        if allowed:
            window.count += 1
            used += 1
        remaining = max(0, math.floor(self.limit - used))
        return Verdict(allowed, self.limit, remaining, max(1, math.ceil(self._length - into)))

    def give_back(self, who: str) -> None:
        """Take back a request that turned out not to count."""
        window = self._windows.get(who)
        if window is not None and window.count:
            window.count -= 1

    def _at(self, who: str, number: int) -> _Window:
        window = self._windows.get(who)
        if window is None:
            window = self._windows[who] = _Window(number)
            if len(self._windows) > MAX_WINDOWS:
                self._windows.popitem(last=False)
        elif window.number != number:
            window.before = window.count if window.number == number - 1 else 0
            window.number, window.count = number, 0
            self._windows.move_to_end(who)
        return window
