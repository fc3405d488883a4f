"""A proxy that breaks connections on purpose: TCP and unix sockets, as slow, torn or deaf as a test wants it.

`async with FaultProxy("127.0.0.1:5672") as proxy`, then connect to `proxy.port`; `proxy.mode(latency_seconds=0.2)` holds
for the connections that are open and for those to come, until `proxy.heal()`. For PostgreSQL's socket:
`FaultProxy(folder / ".s.PGSQL.5432", listen=other_folder / ".s.PGSQL.5432")`.
"""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from kantis_kit.testing.waiting import pause

Direction = Literal["up", "down"]

_CHUNK_BYTES = 65536
_CHUNKS_UNDER_WAY = 256


@dataclass(frozen=True)
class Mode:
    """What is wrong. `up` is from the client to the target, `down` the way back; None means both."""

    direction: Direction | None = None
    latency_seconds: float = 0.0
    """Every byte arrives that much later."""
    bytes_per_second: int | None = None
    slice_bytes: int | None = None
    """Pass on in pieces of this size, so that no read gets a whole message."""
    cut_after_bytes: int | None = None
    """Break the connection after so many bytes in the direction (0: before the first)."""
    cut_by: Literal["reset", "close"] = "reset"
    times: int | None = None
    """Cut so many connections, then let all pass."""
    drop: bool = False
    """Swallow the bytes: a black hole, as a firewall that forgot the connection."""
    half_open: bool = False
    """Keep from one end that the other has gone."""
    mute: bool = False
    """Accept new connections, and never reach the target for them."""

    def __post_init__(self) -> None:
        for name in ("latency_seconds", "cut_after_bytes"):
            if (getattr(self, name) or 0) < 0:
                message = f"{name} cannot be negative."
                raise ValueError(message)
        for name in ("bytes_per_second", "slice_bytes", "times"):
            value = getattr(self, name)
            if value is not None and value < 1:
                message = f"{name} must be at least 1."
                raise ValueError(message)

    def concerns(self, direction: Direction) -> bool:
        """Say whether this way is concerned."""
        return self.direction in {None, direction}


class _Broken(Exception):
    """The connection was broken on purpose."""


class FaultProxy:
    """A proxy in front of one target.

    Args:
        target: `host:port`, or the path of a unix socket.
        listen: path of a unix socket to listen on; else a TCP port of loopback.
        port: 0 takes a free one.
    """

    def __init__(self, target: str | Path, *, listen: Path | None = None, port: int = 0) -> None:
        self._target = target
        self._listen = listen
        self.port = port
        self.accepted = 0
        self.passed_bytes: dict[Direction, int] = {"up": 0, "down": 0}
        self._mode = Mode()
        self._cuts = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def mode(self, **what: Any) -> None:
        """Replace what is wrong (see `Mode`).

        Raises:
            TypeError: there is no such fault.
            ValueError: its value is not usable.
        """
        self._mode = Mode(**what)
        self._cuts = 0

    def heal(self) -> None:
        """Pass everything on from now."""
        self._mode = Mode()

    def reset_all(self) -> None:
        """Break every open connection."""
        for writer in list(self._writers):
            reset(writer)

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        return len(self._tasks)

    async def up(self) -> None:
        """Listen, again at the same place."""
        if self._server is not None:
            return
        if self._listen is not None:
            self._listen.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, self._listen)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Refuse new connections and break the open ones, as when the target's process has died."""
        if self._server is None:
            return
        self._server.close()
        self.reset_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None
        if self._listen is not None:
            self._listen.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        async with contextlib.AsyncExitStack() as stack:
            self._own(stack, writer)
            if self._mode.mute:
                await asyncio.Event().wait()
            try:
                far_reader, far_writer = await self._reach_target()
            except OSError:
                reset(writer)
                return
            self._own(stack, far_writer)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump("up", reader, far_writer))
                    group.create_task(self._pump("down", far_reader, writer))
            except* (OSError, _Broken):
                pass  # one end has gone: the other is let go below

    async def _reach_target(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        host, _, port = self._target.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    def _own(self, stack: contextlib.AsyncExitStack, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)

        async def let_go() -> None:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

        stack.push_async_callback(let_go)

    async def _pump(
        self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry one way: a reader and a writer with a queue between, so that latency does not cost throughput."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_UNDER_WAY)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(direction, reader, queue))
            group.create_task(self._write(direction, queue, writer))

    async def _read(
        self,
        direction: Direction,
        reader: asyncio.StreamReader,
        queue: asyncio.Queue[tuple[float, bytes]],
    ) -> None:
        loop = asyncio.get_running_loop()
        more = True
        while more:
            try:
                got = await reader.read(_CHUNK_BYTES)
            except OSError:
                if not self._mode.half_open:
                    raise
                got = b""
            more = bool(got)
            mode = self._mode
            latency = mode.latency_seconds if mode.concerns(direction) else 0.0
            await queue.put((loop.time() + latency, got))

    async def _write(
        self,
        direction: Direction,
        queue: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
    ) -> None:
        loop = asyncio.get_running_loop()
        passed = 0
        while True:
            due, chunk = await queue.get()
            if due > loop.time():
                await pause(due - loop.time())
            if not chunk:
                if self._mode.half_open:
                    await asyncio.Event().wait()
                if writer.can_write_eof():
                    writer.write_eof()
                return
            try:
                passed += await self._pass_on(direction, chunk, writer, passed)
            except OSError:
                if not self._mode.half_open:
                    raise

    async def _pass_on(
        self, direction: Direction, chunk: bytes, writer: asyncio.StreamWriter, passed: int
    ) -> int:
        mode = self._mode
        if not mode.concerns(direction):
            mode = Mode()
        if mode.drop:
            return 0
        cut = mode.cut_after_bytes is not None and (mode.times is None or self._cuts < mode.times)
        if cut and mode.cut_after_bytes is not None:
            allowed = max(0, mode.cut_after_bytes - passed)
            cut, chunk = len(chunk) > allowed, chunk[:allowed]
        size = mode.slice_bytes or (mode.bytes_per_second and 1 + mode.bytes_per_second // 20)
        for start in range(0, len(chunk), size or len(chunk) or 1):
            piece = chunk[start : start + size] if size else chunk
            writer.write(piece)
            await writer.drain()
            self.passed_bytes[direction] += len(piece)
            if mode.bytes_per_second:
                await pause(len(piece) / mode.bytes_per_second)
            elif size:
                await asyncio.sleep(0)
        if cut:
            self._cuts += 1
            self._break(writer, mode)
        return len(chunk)

    def _break(self, writer: asyncio.StreamWriter, mode: Mode) -> None:
        if mode.cut_by == "reset":
            reset(writer)
        raise _Broken


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection, so that the other end sees a reset and not an end."""
    found = writer.get_extra_info("socket")
    if found is not None:
        with contextlib.suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
