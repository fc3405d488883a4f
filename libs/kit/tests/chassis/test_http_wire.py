"""The outgoing client over a socket: what it sends, what it reads, and what it makes of a connection that fails."""

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
