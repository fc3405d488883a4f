"""The outgoing client over a socket: what it sends, what it reads, and what it makes of a connection that fails."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from kantis_kit import http_wire
from kantis_kit.errors import Unavailable
from kantis_kit.http import OutgoingClient, Unanswered
from kantis_kit.testing.http import Answer, HttpSink


@pytest.fixture
async def client():
    outgoing = OutgoingClient()
    yield outgoing
    await outgoing.close()


async def test_a_request_arrives_as_it_was_given_and_nothing_is_added_that_tells_of_us(client):
    async with HttpSink(lambda _: Answer(201, b'{"id": "7"}')) as sink:
        answer = await client.request(
            "POST", f"{sink.url}/sms?a=1%2B2", content=b"to=%2B47", headers={"X-Key": "k"}
        )
        await client.request("PUT", sink.url, json={"text": "æ"})
        await client.close()

    first, second = sink.requests
    assert (201, {"id": "7"}) == (answer.status_code, answer.json())
    assert ("POST", "/sms?a=1%2B2", b"to=%2B47") == (first.method, first.target, first.body)
    assert {"host", "x-key", "content-length"} == set(first.headers)
    assert ('{"text":"æ"}'.encode(), "application/json") == (
        second.body,
        second.headers["content-type"],
    )
    assert 1 == sink.connections, "a connection is kept"


async def test_who_hangs_up_after_the_request_may_have_acted_on_it(client):
    async with HttpSink(lambda _: Answer(is_hung_up=True)) as sink:
        with pytest.raises(Unanswered):
            await client.request("POST", sink.url, content=b"x")

    assert 1 == len(sink.requests)


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1:1/", {}),
        ("http://127.0.0.1:1/", {"X-Key": "a\r\nX-Other: b"}),
        ("https://127.0.0.1:1/", {}),
    ],
)
async def test_what_cannot_have_arrived_is_said_to_be_unavailable(client, url, headers):
    with pytest.raises(Unavailable) as failure:
        await client.request("POST", url, content=b"x", headers=headers)

    assert not isinstance(failure.value, Unanswered)


async def test_a_server_without_a_certificate_that_we_trust_gets_nothing(client):
    async with HttpSink() as sink:
        with pytest.raises(Unavailable):
            await client.request("POST", sink.url.replace("http:", "https:"), content=b"x")
        await client.close()

    assert not sink.requests


async def test_an_answer_without_end_is_no_answer(client, monkeypatch):
    monkeypatch.setattr(http_wire, "MAX_ANSWER_BYTES", 1_000)
    async with HttpSink(lambda _: Answer(body=b"x" * 1_001)) as sink:
        with pytest.raises(Unanswered):
            await client.request("POST", sink.url, content=b"x")


@asynccontextmanager
async def saying(*answers):
    """Serve these bytes, one to each request, on as many connections as come; yield the address and how often each came."""
    left, asked = list(answers), []

    async def serve(reader, writer):
        number = len(asked)
        asked.append(0)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                asked[number] += 1
                writer.write(left.pop(0))
                if writer.is_closing() or left[:1] == [b""]:
                    left.pop(0)
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x", asked
    finally:
        server.close()
        await server.wait_closed()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HANG_UP = b""


@pytest.mark.parametrize(
    ("answer", "body", "asked"),
    [
        (OK, b"ok", [2]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"ok", [2]),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok", [2]),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", [2]),
        (OK.replace(b"Con", b"Connection: close\r\nCon", 1), b"ok", [1, 1]),
        (OK.replace(b"1.1", b"1.0"), b"ok", [1, 1]),
        (OK + OK, b"ok", [1, 1]),
    ],
    ids=["length", "chunks", "interim", "no content", "close", "1.0", "more than was asked for"],
)  # fmt: skip
async def test_an_answer_ends_where_it_says_and_its_connection_is_kept_when_that_is_sure(
    client, answer, body, asked
):
    async with saying(answer, OK) as (url, counted):
        first = await client.request("GET", url)
        second = await client.request("GET", url)
        await client.close()

    assert (body, b"ok") == (first.content, second.content)
    assert asked == counted


async def test_an_answer_of_no_said_length_ends_with_its_connection(client):
    async with saying(b"HTTP/1.1 200 OK\r\n\r\nall of it", HANG_UP) as (url, _):
        assert b"all of it" == (await client.request("GET", url)).content


async def test_half_an_answer_is_none(client):
    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", HANG_UP) as (url, _):
        with pytest.raises(Unanswered):
            await client.request("POST", url, content=b"x")


async def test_the_answer_to_a_head_ends_with_its_headers(client):
    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") as (url, _):
        answer = await client.request("HEAD", url)
        await client.close()

    assert (200, "9") == (answer.status_code, answer.headers["content-length"])


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-x\r\n", b"HTTP/1.1 101 Go on\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
)
async def test_what_is_no_answer_leaves_it_open_what_was_done(client, answer):
    async with saying(answer) as (url, _):
        with pytest.raises(Unanswered):
            await client.request("POST", url, content=b"x")


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever(client):
    silent = asyncio.Event()
    answers = iter([Answer(), Answer(waits_for=silent)])
    async with HttpSink(lambda _: next(answers)) as sink:
        await client.request("POST", sink.url, content=b"1")
        for line in client._wire._lines:
            line._silence = 0.0
        with pytest.raises(Unanswered):
            await client.request("POST", sink.url, content=b"2")
        silent.set()


async def test_a_kept_connection_that_has_gone_is_not_written_to(client):
    async with HttpSink() as sink:
        await client.request("POST", sink.url, content=b"1")
    async with sink:
        answer = await client.request("POST", sink.url, content=b"2")
        await client.close()

    assert (200, [b"1", b"2"]) == (answer.status_code, [one.body for one in sink.requests])


async def test_who_goes_away_takes_the_connection_along(client):
    arrived = asyncio.Event()

    def answer(request):
        arrived.set()
        return Answer(body=b"mine") if request.body == b"2" else Answer(waits_for=asyncio.Event())

    async with HttpSink(answer) as sink:
        first = asyncio.get_running_loop().create_task(
            client.request("POST", sink.url, content=b"1")
        )
        await arrived.wait()
        first.cancel()
        await asyncio.wait({first})
        second = await client.request("POST", sink.url, content=b"2")
        await client.close()

    assert (b"mine", 2) == (second.content, sink.connections)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET / HTTP/1.1\r\nX", {}),
        ("POST", {"X\r\nY": "a"}),
        ("POST", {"X": "a\nb"}),
        ("POST", {"X": "a\x00b"}),
        ("POST", {"Transfer-Encoding": "chunked"}),
        ("POST", {"content-length": "1"}),
    ],
)
async def test_nothing_that_would_frame_another_request_is_sent(client, method, headers):
    async with HttpSink() as sink:
        with pytest.raises(Unavailable) as failure:
            await client.request(method, sink.url, content=b"x", headers=headers)
        await client.close()

    assert not isinstance(failure.value, Unanswered)
    assert not sink.connections


@pytest.mark.parametrize("inside", [0, 1])
async def test_no_address_of_a_name_may_be_one_that_is_not_sent_to(inside, monkeypatch):
    async with HttpSink() as sink:
        addresses = [("127.0.0.1", sink.port), ("127.0.0.2", sink.port)]

        async def look_up(_host, _port, **_):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in addresses]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        guarded = OutgoingClient(may_reach=lambda one: one != addresses[inside][0])
        with pytest.raises(Unavailable):
            await guarded.request("POST", f"http://name.example:{sink.port}/", content=b"x")
        await guarded.close()

    assert not sink.connections
