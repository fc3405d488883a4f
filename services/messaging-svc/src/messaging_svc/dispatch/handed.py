"""Messages that are handed over, and what the journal notes of them."""

import sys
from collections.abc import Iterable
from datetime import datetime
from typing import cast
from uuid import UUID

from messaging_svc.dispatch.letters import Item
from messaging_svc.wire.connection import Parcel
from messaging_svc.wire.journal import Journal, Mark

NOTES_PER_MESSAGE_AHEAD = 4
"""Room in the journal: what is ahead, and what has an outcome that is not committed yet."""


class Handed(Parcel):
    """A written mail of the ledger."""

    __slots__ = ("item", "leased_until", "stale_at")

    def __init__(
        self, sender: str, recipient: str, content: bytes, item: Item, leased_until: datetime
    ) -> None:
        super().__init__(sender, recipient, content)
        self.item = item
        self.leased_until = leased_until
        self.stale_at = 0.0


def handed_of(parcel: Parcel) -> Handed:
    """Return the mail of a parcel: what a connection gives back is what it was given."""
    return cast("Handed", parcel)


class Notes:
    """The places of messages in the journal; without a journal nothing is noted, and there is always room."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._slots: dict[tuple[UUID, int], int] = {}

    @property
    def room(self) -> int:
        """How many more messages can be noted."""
        return sys.maxsize if self._journal is None else self._journal.room

    def note(self, item: Item) -> None:
        """Note that an attempt has not begun. There must be room."""
        if self._journal is not None:
            self._slots[item.id, item.fence] = self._journal.note(item.id, item.fence)

    def mark(self, item: Item, mark: Mark) -> None:
        """Note how far an attempt has come."""
        if self._journal is not None:
            self._journal.mark(self._slots[item.id, item.fence], mark)

    def forget(self, attempts: Iterable[tuple[UUID, int]]) -> None:
        """Give the places of attempts free of which the ledger knows."""
        for attempt in attempts:
            slot = self._slots.pop(attempt, None)
            if slot is not None and self._journal is not None:
                self._journal.free(slot)

    def close(self, *, all_is_told: bool) -> None:
        """End the journal; when not all is told, the next sender reads it."""
        if self._journal is None:
            return
        if all_is_told:
            self._journal.remove()
        else:
            self._journal.close()
