"""A service in another process that misbehaves: what the caller sees, and what the service is spared."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from gateway.main import build_gateway
from gateway.upstreams.clients import PAUSE_SECONDS, HttpUpstream, fetch
from gateway.upstreams.errors import UpstreamAway
from kantis_kit.clock import FrozenClock
from kantis_kit.http import Breaker

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"


class RawServer:
    """Speaks HTTP by hand, to break it by hand. Each connection runs `script`."""

    def __init__(self, script) -> None:
        self.script, self.requests, self.connections = script, [], 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._on, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    async def _on(self, reader, writer):
        self.connections += 1
        try:
            await self.script(self, reader, writer, self.connections)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def read(self, reader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head)
        return head


@pytest.fixture
async def front_for(world_for) -> AsyncIterator[object]:
    """Build a client of a gateway whose orders are at a port."""
    world = await world_for()
    key = await world.key()
    made = []

    def make(port: int, **options):
        upstream = HttpUpstream(
            "orders", f"http://127.0.0.1:{port}", clock=world.rig.clock, **options
        )
        made.append(upstream)
        app = build_gateway(world.gateway, {"orders": upstream})
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://kantis.test",
            headers={"Authorization": f"Bearer {key}"},
        )
        return client, upstream, world

    yield make
    for upstream in made:
        await upstream.close()


async def free_port() -> int:
    async with RawServer(None) as server:
        return server.port


async def test_a_service_that_is_not_there_is_503_with_a_time_to_try_again(front_for):
    client, _, _ = front_for(await free_port())

    answer = await client.get("/v1/orders")

    assert 503 == answer.status_code
    assert "urn:kantis:problem:service-away" == answer.json()["type"]
    assert int(answer.headers["retry-after"]) >= 1
    assert "127.0.0.1" not in answer.text


async def test_after_five_failures_the_service_is_left_alone_and_then_tried_once(front_for):
    client, upstream, world = front_for(await free_port())
    for _ in range(5):
        await client.get("/v1/orders")

    rested = await client.get("/v1/orders")
    world.rig.clock.advance(timedelta(seconds=11))
    tried = await client.get("/v1/orders")
    again = await client.get("/v1/orders")

    assert "left alone" in rested.json()["detail"]
    assert int(rested.headers["retry-after"]) == PAUSE_SECONDS
    assert "does not answer" in tried.json()["detail"]
    assert "left alone" in again.json()["detail"]
    assert upstream.breaker.opened_at is not None


async def test_a_service_that_comes_back_is_used_again(front_for):
    async def script(server, reader, writer, _):
        while True:
            await server.read(reader)
            writer.write(ANSWER)

    async with RawServer(script) as server:
        client, upstream, _ = front_for(server.port)
        upstream.breaker.failures, upstream.breaker.opened_at = 5, 0.0

        answer = await client.get("/v1/orders")

    assert 200 == answer.status_code
    assert upstream.breaker.opened_at is None


async def test_a_connection_that_died_while_kept_is_replaced_without_the_caller_noticing(front_for):
    async def script(server, reader, writer, number):
        await server.read(reader)
        writer.write(ANSWER)
        await writer.drain()
        if number == 1:
            await server.read(reader)  # the second request arrives, and the connection ends
            return
        await reader.read()

    async with RawServer(script) as server:
        client, _, _ = front_for(server.port)
        first = await client.get("/v1/orders")
        second = await client.get("/v1/orders")

    assert (200, 200) == (first.status_code, second.status_code)
    assert 3 == len(server.requests)


@pytest.mark.parametrize(("headers", "sent"), [({}, 2), ({"Idempotency-Key": "k"}, 3)])
async def test_a_post_is_sent_twice_only_under_an_idempotency_key(front_for, headers, sent):
    async def script(server, reader, writer, number):
        await server.read(reader)
        writer.write(ANSWER)
        await writer.drain()
        if number == 1:
            await server.read(reader)
            return
        await reader.read()

    async with RawServer(script) as server:
        client, _, _ = front_for(server.port)
        await client.get("/v1/orders")
        answer = await client.post("/v1/orders", headers=headers)

    assert sent == len(server.requests)
    assert (200 if headers else 503) == answer.status_code


async def test_a_service_that_does_not_answer_in_time_is_503(front_for):
    async def script(server, reader, writer, _):
        await server.read(reader)
        await reader.read()

    async with RawServer(script) as server:
        client, _, _ = front_for(server.port, timeout_seconds=0.05)
        answer = await client.get("/v1/orders")

    assert 503 == answer.status_code


async def test_an_answer_that_breaks_off_is_not_passed_on_as_whole(front_for):
    async def script(server, reader, writer, _):
        await server.read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async with RawServer(script) as server:
        client, _, _ = front_for(server.port)
        with pytest.raises(Exception, match=r"payload|not completed|closed|disconnect"):
            await client.get("/v1/orders")


async def test_what_belongs_to_the_connection_is_not_passed_back(front_for):
    async def script(server, reader, writer, _):
        await server.read(reader)
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n"
            b"Keep-Alive: timeout=5\r\nServer: secret/1.0\r\nX-Kept: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n"
            b"2\r\nok\r\n0\r\n\r\n"
        )
        await writer.drain()
        await reader.read()

    async with RawServer(script) as server:
        client, _, _ = front_for(server.port)
        answer = await client.get("/v1/orders")

    assert "ok" == answer.text
    assert "1" == answer.headers["x-kept"]
    assert ["a=1", "b=2"] == answer.headers.get_list("set-cookie")
    assert not {"server", "keep-alive", "transfer-encoding"} & answer.headers.keys()


async def test_redirects_and_compressed_bodies_pass_as_they_are(front_for):
    body = b"\x1f\x8b not really gzip"

    async def script(server, reader, writer, number):
        await server.read(reader)
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Encoding: gzip\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        await reader.read()

    async with RawServer(script) as server:
        client, _, _ = front_for(server.port)
        async with client.stream("GET", "/v1/orders") as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])

    assert (302, "gzip") == (answer.status_code, answer.headers["content-encoding"])
    assert body == raw
    assert 1 == len(server.requests)


async def test_a_smuggled_second_request_in_a_body_stays_a_body(front_for):
    async def script(server, reader, writer, _):
        head = await server.read(reader)
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        server.requests[-1] += await reader.readexactly(length)
        writer.write(ANSWER)
        await writer.drain()
        await reader.read()

    smuggled = b"0\r\n\r\nGET /v1/keys HTTP/1.1\r\nHost: x\r\n\r\n"
    async with RawServer(script) as server:
        client, _, _ = front_for(server.port)
        answer = await client.post("/v1/orders", content=smuggled)

    assert 200 == answer.status_code
    assert 1 == len(server.requests)
    assert server.requests[0].endswith(smuggled)
    assert b"transfer-encoding" not in server.requests[0].lower()


async def test_a_trial_that_is_cancelled_does_not_keep_the_breaker_shut():
    async def script(server, reader, writer, _):
        await server.read(reader)
        asked.set()
        await reader.read()

    asked = asyncio.Event()
    breaker = Breaker(failures=5, opened_at=0.0)
    async with RawServer(script) as server:
        upstream = HttpUpstream(
            "orders", f"http://127.0.0.1:{server.port}", clock=FrozenClock(), breaker=breaker
        )
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(fetch(upstream, "/", timeout_seconds=30))
            await asked.wait()
            asking.cancel()
        await upstream.close()

    assert not breaker.trial


async def test_an_upstream_says_itself_that_it_is_away():
    upstream = HttpUpstream("orders", f"http://127.0.0.1:{await free_port()}", clock=FrozenClock())

    async def receive():
        return {"type": "http.request"}

    scope = {"method": "GET", "path": "/ø", "headers": [], "query_string": b"a=\xe6 b"}
    with pytest.raises(UpstreamAway, match="orders does not answer"):
        await upstream(scope, receive, None)
    await upstream.close()
