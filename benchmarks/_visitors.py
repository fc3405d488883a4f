"""Visitors over plain connections, what they wait for, and the server that bare applications get."""

import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from time import perf_counter
from typing import cast

import uvicorn

from kantis_kit.web.middleware import App


def plain_server(app: App) -> uvicorn.Server:
    """Return uvicorn as it comes, with nothing in front of the application."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        http="httptools",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    return uvicorn.Server(config)


class Visitor(asyncio.Protocol):
    """One connection with one request under way; measures each.

    With `due` a request leaves when it is due and not before. One that the answer before it has kept waiting is measured
    from when it was due: somebody has waited for it from then on.
    """

    good: tuple[bytes, ...] = (b"HTTP/1.1 202",)

    def __init__(
        self,
        requests: Iterator[bytes],
        until: float,
        took: list[float],
        due: Iterator[float] | None = None,
    ) -> None:
        self.requests, self.until, self.took, self.due = requests, until, took, due
        self.done = asyncio.get_running_loop().create_future()
        self.held = b""
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        at = perf_counter() if self.due is None else next(self.due)
        rest = at - perf_counter()
        if at >= self.until:
            self.done.set_result(None)
            self.transport.close()
        elif rest > 0:
            asyncio.get_running_loop().call_later(rest, self._ask, None)
        else:
            self._ask(at)

    def _ask(self, due: float | None) -> None:
        content = next(self.requests)
        # A timer of our own that comes late is no visitor's waiting.
        self.began = due if due is not None and self.due is not None else perf_counter()
        self.transport.write(content)

    def data_received(self, data: bytes) -> None:
        """Take an answer; ask again until the time is up."""
        self.held += data
        head, mark, rest = self.held.partition(b"\r\n\r\n")
        if not mark:
            return
        lowered = head.lower()
        length = int(lowered.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self.held = b""
        now = perf_counter()
        self.took.append(now - self.began)
        if not head.startswith(self.good):
            self.done.set_exception(RuntimeError((head + rest).decode()))
            self.transport.close()
        else:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail when the server hangs up in the middle."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server has hung up"))


@dataclass
class Round:
    """What rounds at one number of connections have shown."""

    rates: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    def say(self) -> str:
        """Return rate and latencies in milliseconds."""
        ordered = sorted(self.took)
        middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        return f"{self.rate:7.0f} /s   p50 {middle * 1000:6.1f} ms   p99 {late * 1000:6.1f} ms"

    @property
    def rate(self) -> float:
        """The middle rate."""
        return statistics.median(self.rates)


async def load(
    port: int,
    seconds: float,
    connections: int,
    into: Round,
    *,
    asked: Iterator[bytes],
    visitor: type[Visitor] = Visitor,
    per_second: float = 0,
) -> None:
    """Ask for so long over so many connections: again at once, or so often a second over all of them together."""
    took: list[float] = []
    started = perf_counter()
    loop = asyncio.get_running_loop()

    def connect(number: int) -> Visitor:
        due = count(started + number / per_second, connections / per_second) if per_second else None
        return visitor(asked, started + seconds, took, due)

    made = [
        (await loop.create_connection(partial(connect, number), "127.0.0.1", port))[1]
        for number in range(connections)
    ]
    await asyncio.gather(*(one.done for one in made))
    into.rates.append(len(took) / (perf_counter() - started))
    into.took.extend(took)
