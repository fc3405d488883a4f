"""The proxy passes everything on, until it is told what to break."""

import asyncio
import contextlib
import socket

import pytest

from kantis_kit.testing import proxy as proxy_module
from kantis_kit.testing.proxy import FaultProxy
from kantis_kit.testing.waiting import eventually


class Echo:
    """Answers with what it gets, and remembers it."""

    def __init__(self) -> None:
        self.got = b""
        self.ended = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while got := await reader.read(65536):
                self.got += got
                writer.write(got)
                await writer.drain()
        except OSError:
            pass
        finally:
            self.ended.set()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@pytest.fixture
async def echo():
    target = Echo()
    server = await asyncio.start_server(target.serve, "127.0.0.1", 0)
    target.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield target
    server.close()
    for writer in target.writers:
        writer.close()
    await server.wait_closed()


@pytest.fixture
async def proxy(echo):
    async with FaultProxy(echo.address) as started:
        yield started


@contextlib.asynccontextmanager
async def client(proxy):
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
def pauses(monkeypatch):
    """How long the proxy wanted to wait each time; it does not."""
    wanted: list[float] = []

    async def pause(seconds: float) -> None:
        wanted.append(seconds)

    monkeypatch.setattr(proxy_module, "pause", pause)
    return wanted


async def test_it_passes_on_what_both_ends_say_and_the_end(proxy, echo):
    async with client(proxy) as (reader, writer):
        writer.write(b"x" * 300_000)
        writer.write_eof()

        assert await reader.read(-1) == b"x" * 300_000

    assert proxy.passed_bytes == {"up": 300_000, "down": 300_000}
    assert echo.ended.is_set()


async def test_latency_holds_for_its_direction_only(proxy, pauses):
    async with client(proxy) as (reader, writer):
        proxy.mode(latency_seconds=5, direction="up")
        writer.write(b"slow")
        assert await reader.readexactly(4) == b"slow"
        assert [round(seconds) for seconds in pauses] == [5]

        proxy.heal()
        writer.write(b"fast")
        assert await reader.readexactly(4) == b"fast"
        assert len(pauses) == 1


async def test_bandwidth_is_bytes_over_time(proxy, pauses):
    proxy.mode(bytes_per_second=1000, direction="down")
    async with client(proxy) as (reader, writer):
        writer.write(b"x" * 3000)
        await reader.readexactly(3000)
        await eventually(lambda: round(sum(pauses), 6) == 3, message="three seconds of pauses")


async def test_slices_are_small(proxy, echo, monkeypatch):
    sizes: list[int] = []
    write = asyncio.StreamWriter.write

    def watched(self, data):
        sizes.append(len(data))
        write(self, data)

    proxy.mode(slice_bytes=3, direction="up")
    async with client(proxy) as (reader, writer):
        writer.write(b"0123456789")
        await writer.drain()
        monkeypatch.setattr(asyncio.StreamWriter, "write", watched)
        assert await reader.readexactly(10) == b"0123456789"

    assert sizes[:4] == [3, 3, 3, 1] or {3, 1} <= set(sizes)


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("cut_after_bytes", [0, 4])
async def test_it_cuts_after_so_many_bytes(proxy, echo, direction, cut_after_bytes):
    proxy.mode(cut_after_bytes=cut_after_bytes, direction=direction, cut_by="close")
    async with client(proxy) as (reader, writer):
        writer.write(b"0123456789")
        got = await reader.read(-1)

    passed = echo.got if direction == "up" else got
    assert passed == b"0123456789"[:cut_after_bytes]


async def test_an_answer_is_lost_by_a_reset_and_only_so_often(proxy, echo):
    proxy.mode(cut_after_bytes=0, direction="down", times=1)
    async with client(proxy) as (reader, writer):
        writer.write(b"order")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(5)
    assert echo.got == b"order"

    async with client(proxy) as (reader, writer):
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"


async def test_dropping_one_direction_leaves_the_other(proxy, echo):
    proxy.mode(drop=True, direction="down")
    async with client(proxy) as (reader, writer):
        writer.write(b"lost answer")
        await eventually(lambda: echo.got == b"lost answer", message="the request arrived")
        proxy.heal()
        writer.write(b"!")
        assert await reader.readexactly(1) == b"!"


async def test_half_open_hides_that_the_target_has_gone(proxy, echo):
    async with client(proxy) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)
        proxy.mode(half_open=True)
        echo.writers[0].close()
        writer.write(b"is anybody there?")
        await writer.drain()
        with pytest.raises(AssertionError):
            await eventually(reader.at_eof, message="the end", within=0.1)
        assert proxy.open_connections == 1


async def test_mute_accepts_and_answers_nothing(proxy, echo):
    proxy.mode(mute=True)
    async with client(proxy) as (_, writer):
        writer.write(b"x")
        await eventually(lambda: proxy.accepted == 1, message="a connection")
        with pytest.raises(AssertionError):
            await eventually(lambda: echo.writers, message="a connection", within=0.05)


async def test_all_open_connections_can_be_reset(proxy):
    async with client(proxy) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)
        proxy.reset_all()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)


async def test_down_refuses_and_up_takes_the_same_port_again(proxy):
    port = proxy.port
    async with client(proxy) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)
        await proxy.down()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    with pytest.raises(ConnectionRefusedError):
        async with client(proxy):
            pass
    await proxy.down()

    await proxy.up()
    await proxy.up()

    assert proxy.port == port
    async with client(proxy) as (reader, writer):
        writer.write(b"back")
        assert await reader.readexactly(4) == b"back"


async def test_a_target_that_refuses_is_seen_as_a_reset():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with FaultProxy(f"127.0.0.1:{taken.getsockname()[1]}") as proxy:
            with pytest.raises(ConnectionResetError):
                async with client(proxy) as (reader, _):
                    await reader.readexactly(1)


@pytest.mark.parametrize(
    "what",
    [
        {"latency_seconds": -1},
        {"bytes_per_second": 0},
        {"slice_bytes": 0},
        {"cut_after_bytes": -1},
        {"times": 0},
    ],
)
async def test_an_impossible_mode_is_refused(proxy, what):
    with pytest.raises(ValueError, match=next(iter(what))):
        proxy.mode(**what)
    with pytest.raises(TypeError):
        proxy.mode(nonsense=True)
