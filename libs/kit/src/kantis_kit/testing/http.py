"""An HTTP server on loopback that keeps what it is sent and answers as a test wants it: another company's API.

`async with HttpSink() as sink`, then `sink.url`, `sink.requests`. Faults are given as a function of the request.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl

import orjson

_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """Return the body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `is_hung_up` closes the connection in its place."""

    status: int = 200
    body: bytes = b"{}"
    is_hung_up: bool = False
    waits_for: "asyncio.Event | None" = None


@dataclass
class HttpSink:
    """An HTTP/1.1 server with kept-alive connections."""

    answer: Callable[[Request], Answer] = lambda _request: Answer()
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    keeps: bool = True
    """Whether requests are kept; a benchmark does without."""
    _server: asyncio.Server | None = None
    _port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def port(self) -> int:
        """Return the port that it listens on, or listened on when it was stopped."""
        return self._port

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        """Listen; a server that was stopped comes back where it was."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, limit=_LIMIT
        )
        self._port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(method, target, headers, body)
        if self.keeps:
            self.requests.append(request)
        answer = self.answer(request)
        if answer.waits_for is not None:
            await answer.waits_for.wait()
        if answer.is_hung_up:
            return False
        writer.write(
            b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (answer.status, len(answer.body), answer.body)
        )
        await writer.drain()
        return True


def json_answer(value: object, status: int = 200) -> Answer:
    """Return an answer of JSON."""
    return Answer(status, orjson.dumps(value))
