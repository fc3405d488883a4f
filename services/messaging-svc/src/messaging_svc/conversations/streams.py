"""Server-sent events: what is new in a conversation, as it is committed, in whatever process that happens.

A stream tells from a number on, and ends after a while; the browser asks again with the number of the last event it has
seen. Numbers are given under the lock of the conversation, so that none appears behind one that was told: nothing is lost.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol
from uuid import UUID

import orjson
from fastapi import Request
from starlette.responses import StreamingResponse

from kantis_kit.db.database import Database, Listener
from kantis_kit.tx import ReadTx, Scope, read
from messaging_svc.conversations.errors import TooManyMessages
from messaging_svc.conversations.model import NOTIFY_CHANNEL
from messaging_svc.settings import MessagingSettings

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Nobody on the way keeps a stream or holds it back."""
BEAT_SECONDS = 5.0
"""A stream in which nothing happens says so this often, lest somebody on the way takes it for dead."""
MOST_LISTENERS = 8
"""Of one conversation in one process; more are somebody's loop."""
_AGAIN_MS = 300


class EventStream(StreamingResponse):
    """An answer of events."""

    media_type = "text/event-stream"


DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events; `data` is JSON, `id` the number behind which to go on",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "properties": {"id": {"type": "string"}, "data": {"type": "string"}},
                }
            }
        },
    }
}
"""How a stream stands in the description of the API."""


class Hub:
    """Wakes the streams of this process; listens only while there are any."""

    def __init__(self) -> None:
        self._waiting: dict[UUID | None, set[asyncio.Event]] = {}
        self._ear: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(
        self, database: Database, conversation_id: UUID | None
    ) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set whenever something may be new; of every conversation, where None is named.

        Raises:
            TooManyMessages: too many streams tell of this conversation already.
        """
        mine = self._waiting.setdefault(conversation_id, set())
        if conversation_id is not None and len(mine) >= MOST_LISTENERS:
            raise TooManyMessages(f"At most {MOST_LISTENERS} streams of one conversation")
        woken = asyncio.Event()
        mine.add(woken)
        if self._ear is None:
            self._ear = asyncio.get_running_loop().create_task(
                Listener(database, NOTIFY_CHANNEL, self._wake_all, told=self._hear).run(),
                name="messaging: ear of the streams",
            )
        try:
            yield woken
        finally:
            mine.discard(woken)
            if not mine:
                self._waiting.pop(conversation_id, None)
            if not self._waiting:
                await self._fall_deaf()

    async def _fall_deaf(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.cancel()
            with suppress(asyncio.CancelledError):
                await ear

    def _wake_all(self) -> None:
        for events in self._waiting.values():
            for event in events:
                event.set()

    def _hear(self, payload: str) -> None:
        with suppress(ValueError):
            for name in (UUID(payload), None):
                for event in self._waiting.get(name, ()):
                    event.set()


def stream_seconds(scope: Scope) -> float:
    """Return how long a stream lasts."""
    settings = scope.settings
    return settings.chat_stream_seconds if isinstance(settings, MessagingSettings) else 0.0


def last_seen(request: Request, after: int) -> int:
    """Return the number behind which a stream begins; the browser's own memory goes before the address."""
    told = request.headers.get("last-event-id", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 10 else after  # noqa: PLR2004 - fits 32 bits


class Numbered(Protocol):
    """Something that is told in a stream."""

    number: int

    def model_dump_json(self) -> str:
        """Return it as JSON on one line."""
        ...


Tell = Callable[[ReadTx, int], Awaitable[Sequence[Numbered]]]
"""Reads what is behind a number."""


async def follow(
    scope: Scope, hub: Hub, conversation_id: UUID, tell: Tell, *, after: int, seconds: float
) -> AsyncIterator[bytes]:
    """Tell what is behind a number, and what comes, for so many seconds."""
    yield f"retry: {_AGAIN_MS}\n\n".encode()
    async with hub.listening(scope.database, conversation_id) as woken:
        async for has_news in _turns(woken, seconds):
            if not has_news:
                yield b": still here\n\n"
            async with read(scope) as tx:
                found = await tell(tx, after)
            for one in found:
                after = one.number
                yield f"id: {after}\ndata: {one.model_dump_json()}\n\n".encode()


async def follow_all(scope: Scope, hub: Hub, *, seconds: float) -> AsyncIterator[bytes]:
    """Tell that something is new somewhere; whoever hears it reads the list, and so misses nothing."""
    yield f"retry: {_AGAIN_MS}\n\n".encode()
    async with hub.listening(scope.database, None) as woken:
        async for has_news in _turns(woken, seconds):
            told = {"is_new": True}
            yield b"data: " + orjson.dumps(told) + b"\n\n" if has_news else b": still here\n\n"


async def _turns(woken: asyncio.Event, seconds: float) -> AsyncIterator[bool]:
    """Yield whenever there may be news, at once to begin with, and at every beat without any."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + seconds
    woken.set()
    while True:
        has_news = woken.is_set()
        woken.clear()
        yield has_news
        left = ends_at - loop.time()
        if left <= 0:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(min(left, BEAT_SECONDS)):
                await woken.wait()
