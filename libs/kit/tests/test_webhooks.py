"""Webhooks to other systems: who signs, where nothing is sent, and when it is tried again."""

import asyncio
import base64
import hashlib
import hmac
import socket
from datetime import timedelta

import pytest

from kantis_kit import webhooks
from kantis_kit.clock import FrozenClock
from kantis_kit.networks import networks
from kantis_kit.testing.http import Answer, HttpSink

LOOPBACK = networks(["127.0.0.0/8"])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://127.0.0.1/", "inside"),
        ("https://10.0.0.7/hook", "inside"),
        ("https://169.254.169.254/latest/meta-data", "inside"),
        ("https://[::1]/", "inside"),
        ("https://[::ffff:10.0.0.1]/", "inside"),
        ("https://[2002:7f00:1::]/", "inside"),
        ("https://[fd00::1]/", "inside"),
        ("https://100.64.0.1/", "inside"),
        ("https://0.0.0.0/", "inside"),
        ("https://localhost:8400/", "inside"),
        ("https://db.internal/", "inside"),
        ("http://example.com/hook", "https://"),
        ("https://user:secret@example.com/", "leave the user"),
        ("ftp://example.com/", "whole address"),
        ("https:///hook", "whole address"),
        ("https://example.com:99999/", "whole address"),
    ],
)
def test_nothing_is_sent_inside_or_in_the_clear(url, says):
    with pytest.raises(webhooks.TargetRefused, match=says):
        webhooks.check_target(url, ())


def test_the_public_net_and_what_is_allowed_by_name_are_sent_to():
    webhooks.check_target("https://example.com/hook", ())
    webhooks.check_target("https://93.184.216.34/hook", ())
    webhooks.check_target("http://127.0.0.1:9000/hook", LOOPBACK)


@pytest.mark.parametrize("name", ["localhost.localdomain.example", "2130706433"])
async def test_a_name_that_leads_inside_is_not_connected_to(name, monkeypatch):
    async def look_up(_host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    async with HttpSink() as sink:
        sender = webhooks.Sender(clock=FrozenClock())
        target = webhooks.Target(f"http://{name}:{sink.port}/", "k", webhooks.make_secret()[1])

        answer = await sender.send(target, "1", b"{}")
        await sender.close()

    assert not answer.is_taken
    assert (None, 0) == (answer.status, sink.connections)


async def test_an_attempt_says_who_it_is_from_and_follows_no_redirect():
    clock = FrozenClock()
    answers = [Answer(200), Answer(302), Answer(500), Answer(410)]
    key_id, secret = webhooks.make_secret()
    async with HttpSink(answer=lambda _: answers.pop(0)) as sink:
        sender = webhooks.Sender(clock=clock, allowed=LOOPBACK)
        target = webhooks.Target(f"{sink.url}/hook", key_id, secret)
        told = [await sender.send(target, "id-1", b'{"a":1}') for _ in range(4)]
        await sender.close()

    at = str(int(clock.now().timestamp()))
    sent = sink.requests[0]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f'id-1.{at}.{{"a":1}}'.encode(), hashlib.sha256).digest()
    headers = {name.lower(): value for name, value in sent.headers.items()}
    assert ("id-1", at, key_id, f"v1,{base64.b64encode(signed).decode()}") == tuple(
        headers[f"webhook-{name}"] for name in ("id", "timestamp", "key-id", "signature")
    )
    assert [True, False, False, False] == [one.is_taken for one in told]
    assert [False, False, False, True] == [one.is_final for one in told]
    assert 4 == len(sink.requests)
    assert secret not in str(sink.requests)


def test_the_pauses_grow_and_then_a_person_is_asked():
    pauses = [webhooks.pause_after(n + 1) for n in range(len(webhooks.PAUSES))]

    assert pauses == sorted(pauses)
    assert timedelta(days=1) < sum(pauses, timedelta())
    assert webhooks.pause_after(len(webhooks.PAUSES) + 1) is None
