"""What waits for its turn, and how much may be under way."""

import asyncio
from collections import deque
from typing import Protocol, TypeVar

from messaging_svc.dispatch.handed import Notes

STALE_SECONDS = 2.0
"""What was asked to be handed over and has not begun after this long is decided on anew. Whoever takes a no waits for a
little longer than this before it is answered (`tracking.usecases`): so nothing begins after the answer."""
_LOOK_SECONDS = 0.25
_SHARE_HANDED_OVER = 2
"""Half of what may be under way is handed over together, while the other half leaves: a transaction costs by itself what
some dozens of messages cost in it."""


class _Message(Protocol):
    @property
    def is_marketing(self) -> bool:
        """Say whether nobody waits for it."""
        ...


WaitsT = TypeVar("WaitsT", bound=_Message)


class Waiting(asyncio.Queue[WaitsT | None]):
    """What was claimed and is not sent, advertising behind everything else; None is the end of all."""

    _queue: "deque[WaitsT | None]"  # of the class above; it has no other way to give what waits an order
    _ahead = 0

    def _put(self, item: WaitsT | None) -> None:
        if item is None or item.is_marketing:
            self._queue.append(item)
        else:
            self._queue.insert(self._ahead, item)
            self._ahead += 1

    def _get(self) -> WaitsT | None:
        self._ahead = max(0, self._ahead - 1)
        return self._queue.popleft()


class Window:
    """How many messages may be handed over and without an outcome: as many as went out in the last half second.

    So a slow server's messages wait in the ledger, where each can still be decided on anew.
    """

    def __init__(self, narrowest: int, widest: int, notes: Notes) -> None:
        self._widest, self._notes = widest, notes
        self._size = self._narrowest = min(widest, narrowest)
        self._under_way = self._ended = 0
        self._look_at = 0.0
        self.room = asyncio.Event()
        """Set while so many more may be handed over that it is worth a transaction."""
        self.room.set()

    @property
    def free(self) -> int:
        """Say how many more may be handed over."""
        return min(self._size - self._under_way, self._notes.room)

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is under way."""
        return not self._under_way

    def enter(self, count: int) -> None:
        """Hear that so many are being handed over."""
        self._under_way += count
        now = asyncio.get_running_loop().time()
        if now >= self._look_at:
            self._size = max(self._narrowest, min(self._widest, 2 * self._ended))
            self._look_at, self._ended = now + _LOOK_SECONDS, 0
        self.show_room()

    def withdraw(self) -> None:
        """Hear that one was not handed over after all."""
        self._under_way -= 1

    def end(self) -> None:
        """Hear that one has its outcome, which is committed before or with the next hand-over: there is room for it now."""
        self._under_way -= 1
        self._ended += 1
        self.show_room()

    def show_room(self) -> None:
        """Say whether there is room; not for each place that is free: many are handed over in one transaction."""
        if self.free >= max(1, self._size // _SHARE_HANDED_OVER):
            self.room.set()
        else:
            self.room.clear()
