"""Bursts are counted exactly, per caller, and told to the caller."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import burst
from gateway.limits.burst import Burst
from kantis_kit.clock import FrozenClock


def test_exactly_the_limit_passes():
    limit = Burst("5/minute", FrozenClock())

    assert [True] * 5 + [False] * 3 == [limit.hit("a").allowed for _ in range(8)]


def test_callers_do_not_share_a_limit():
    limit = Burst("1/minute", FrozenClock())

    assert limit.hit("a").allowed
    assert limit.hit("b").allowed
    assert not limit.hit("a").allowed


def test_a_new_window_does_not_give_the_whole_limit_at_once():
    clock = FrozenClock()  # starts on a full minute
    limit = Burst("10/minute", clock)
    clock.advance(timedelta(seconds=59))
    for _ in range(10):
        limit.hit("a")
    clock.advance(timedelta(seconds=2))

    passed = sum(limit.hit("a").allowed for _ in range(10))

    assert passed <= 1


def test_after_two_quiet_windows_the_whole_limit_is_back():
    clock = FrozenClock()
    limit = Burst("10/minute", clock)
    for _ in range(20):
        limit.hit("a")
    clock.advance(timedelta(minutes=2))

    assert 9 == limit.hit("a").remaining


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=60))
def test_no_window_ever_lets_more_than_the_limit_through(steps):
    clock = FrozenClock()
    limit = Burst("7/minute", clock)
    passed: dict[tuple[str, int], int] = {}
    for who, seconds in steps:
        clock.advance(timedelta(seconds=seconds))
        if limit.hit(str(who)).allowed:
            window = (str(who), int(clock.now().timestamp()) // 60)
            passed[window] = passed.get(window, 0) + 1

    assert all(count <= 7 for count in passed.values())


def test_what_is_given_back_can_be_used():
    limit = Burst("1/minute", FrozenClock())

    limit.hit("a")
    limit.give_back("a")
    limit.give_back("a")
    limit.give_back("stranger")

    assert limit.hit("a").allowed
    assert not limit.hit("a").allowed


def test_a_flood_of_callers_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(burst, "MAX_WINDOWS", 100)
    limit = Burst("1/minute", FrozenClock())

    for number in range(1_000):
        limit.hit(str(number))

    assert 100 == len(limit._windows)


@pytest.mark.parametrize("rule", ["", "many", "5 per", "-1/minute"])
def test_a_rule_that_cannot_be_read_stops_the_start(rule):
    with pytest.raises(ValueError, match=r".*"):
        Burst(rule, FrozenClock())


async def test_a_key_that_is_too_fast_is_told_how_long_to_wait(world_for):
    world = await world_for(key_limit="3/minute")
    key, other = await world.key("viewer"), await world.key("viewer")

    async with world.client(key) as client:
        answers = [await client.get("/v1/contacts") for _ in range(4)]
    async with world.client(other) as client:
        free = await client.get("/v1/contacts")

    assert ["2", "1", "0"] == [a.headers["ratelimit-remaining"] for a in answers[:3]]
    assert ["3"] * 3 == [a.headers["ratelimit-limit"] for a in answers[:3]]
    assert [200, 200, 200, 429] == [a.status_code for a in answers]
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert "urn:kantis:problem:too-many-requests" == answers[3].json()["type"]
    assert 200 == free.status_code


async def test_counters_are_exact_under_twenty_clients_at_once(world_for):
    world = await world_for(key_limit="50/minute")
    key = await world.key("viewer")

    async def ask():
        async with world.client(key) as client:
            return [(await client.get("/v1/orders")).status_code for _ in range(4)]

    statuses = [s for each in await asyncio.gather(*(ask() for _ in range(20))) for s in each]

    assert 50 == statuses.count(200)
    assert 30 == statuses.count(429)


async def test_public_pages_are_limited_per_address(world_for):
    world = await world_for(ip_limit="2/minute")

    async with world.client() as client, world.client(address="192.0.2.2") as other:
        answers = [await client.get("/f/newsletter") for _ in range(3)]
        free = await other.get("/f/newsletter")

    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert 200 == free.status_code


async def test_a_spoofed_address_does_not_escape_the_limit(world_for):
    world = await world_for(ip_limit="2/minute")

    async with world.client() as client:
        answers = [
            await client.get("/f/newsletter", headers={"X-Forwarded-For": f"198.51.100.{n}"})
            for n in range(3)
        ]

    assert 429 == answers[2].status_code


async def test_requests_without_a_key_and_to_unknown_addresses_are_limited_too(world_for):
    world = await world_for(ip_limit="2/minute")

    async with world.client() as client:
        answers = [await client.get(path) for path in ("/v1/contacts", "/nowhere", "/v1/contacts")]

    assert [401, 404, 429] == [answer.status_code for answer in answers]
