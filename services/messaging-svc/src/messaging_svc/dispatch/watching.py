"""What the desk of a mail server tells whoever has several of them, and how it waits."""

import asyncio
from typing import Protocol

from messaging_svc.dispatch.letters import Item
from messaging_svc.wire.answers import Refused


class Watch(Protocol):
    """Has several mail servers, or limits by domain, and wants to hear what becomes of messages."""

    @property
    def is_watching(self) -> bool:
        """Say whether what goes well matters too."""
        ...

    @property
    def has_another(self) -> bool:
        """Say whether another mail server may be there."""
        ...

    def answered(self, item: Item, refusal: Refused | None) -> None:
        """Hear what the mail server said of a message; None: it took it."""
        ...

    def gone(self, item: Item) -> None:
        """Hear that a message is not under way any more."""
        ...

    def changed(self) -> None:
        """Hear that a mail server is there again, or cannot be reached."""
        ...


async def until(event: asyncio.Event, stopping: asyncio.Event) -> bool:
    """Wait for the event; False when the stop comes first."""
    if event.is_set():
        return True
    waits = {asyncio.ensure_future(event.wait()), asyncio.ensure_future(stopping.wait())}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return event.is_set()
