"""Mails by several relays: each message goes by one of them, whatever fails."""

import asyncio
from datetime import timedelta

import pytest

from kantis_kit import failpoints
from kantis_kit.testing.smtp import Fault, SmtpSink
from kantis_kit.testing.waiting import eventually


def _to(sink):
    return sorted(record["rcpt"] for record in sink.messages)


@pytest.fixture
async def relays(relays_for):
    async with relays_for() as made:
        yield made


async def test_the_domain_chooses_the_relay_and_the_relay_of_the_settings_serves_while_there_is_no_other(
    relays_for, sink, other
):
    async with relays_for(smtp_host="127.0.0.1") as relays:
        await relays.send("first@kunde.example")
        await relays.house.until("accepted", 1)
        await relays.group("big", "big.example", "*.big.example")
        await relays.add("special", other, domains=["group:big", "small.example"], priority=10)
        await relays.send("a@big.example", "b@mx.big.example", "c@small.example")
        await relays.house.until("accepted", 4)
        special = await relays.until("special", "up")
        unused = (await relays.list())["settings"]
        await relays.send("second@kunde.example")
        (row,) = await relays.until_ruled("waits_for_relay")
        general = await relays.add("general", sink)
        await relays.house.until("accepted", 5)
        await relays.call("DELETE", f"/v1/relays/{general['id']}", 204)

    assert ["first@kunde.example", "second@kunde.example"] == _to(sink)
    assert ["a@big.example", "b@mx.big.example", "c@small.example"] == _to(other)
    assert (True, False) == (special["is_used"], unused["is_used"])
    assert "no relay for kunde.example" == row["reason"]


async def test_what_the_first_relay_cannot_take_goes_by_the_next_and_back_when_it_is_there_again(
    relays, sink, other
):
    first = SmtpSink()
    await first.start()
    await first.stop()
    await relays.add("first", first, priority=1)
    await relays.add("second", other, priority=2)
    names = [f"k{n}@kunde.example" for n in range(20)]

    await relays.send(*names)
    await relays.house.until("accepted", 20)
    down = await relays.until("first", "down")
    figures = await _figures(relays.house)
    await first.start()
    try:
        await relays.until("first", "up")
        await relays.send("late@kunde.example")
        await relays.house.until("accepted", 21)
        up = (await relays.list())["first"]
    finally:
        await first.stop()

    assert sorted(names) == _to(other)
    assert ["late@kunde.example"] == _to(first)
    assert down["down_since"]
    assert "cannot be reached" in down["last_answer"]
    assert 'kantis_relay_up{relay="first",service="messaging"} 0.0' in figures
    assert 'kantis_relay_up{relay="second",service="messaging"} 1.0' in figures
    assert (None, "up", 1) == (up["down_since"], up["state"], up["connections"] and 1)


async def _figures(house):
    house.rig.service.figures.fresh_seconds = 0
    async with house.rig.anonymous() as client:
        return (await client.get("/metrics")).text


@pytest.mark.parametrize(
    "fault",
    [{"hang_at": "connect"}, {"hang_at": "ehlo"}, {"hang_at": "mail"}, {"hang_at": "rcpt"},
     {"reset_at": "rcpt"}, {"reset_at": "data"}],
    ids=lambda fault: " ".join(*fault.items()),
)  # fmt: skip
async def test_before_the_content_left_the_next_relay_takes_it(relays_for, sink, other, fault):
    sink.faults.set("*", Fault(**fault))
    async with relays_for(smtp_timeout_seconds=0.2) as relays:
        await relays.add("first", sink, priority=1, connections=1)
        await relays.add("second", other, priority=2)
        await relays.send("a@kunde.example", "b@kunde.example")
        rows = await relays.house.until("accepted", 2)

    assert ["a@kunde.example", "b@kunde.example"] == _to(other)
    assert [] == sink.messages
    assert {1} == {row["attempts"] for row in rows}


@pytest.mark.parametrize("fault", [{"reset_at": "dot"}, {"hang_at": "dot"}], ids=["reset", "hang"])
async def test_after_the_content_left_nobody_else_gets_it(relays_for, sink, other, fault):
    sink.faults.set("*", Fault(**fault, times=1))
    async with relays_for(smtp_final_timeout_seconds=0.2) as relays:
        await relays.add("first", sink, priority=1, connections=1)
        await relays.add("second", other, priority=2)
        await relays.send("a@kunde.example")
        await relays.house.until("in_doubt", 1)
        await relays.send("b@kunde.example")
        await relays.house.until("accepted", 1)
        relays.house.rig.clock.advance(timedelta(days=1))
        (doubtful,) = await relays.house.rows("in_doubt")

    assert "no_answer" == doubtful["rule"]
    assert "a@kunde.example" not in _to(other)
    assert ["a@kunde.example", "b@kunde.example"] == sorted(_to(sink) + _to(other))


async def test_a_relay_that_hung_is_tried_with_one_message_before_it_gets_more(
    relays_for, sink, other
):
    sink.faults.set("*", Fault(reset_at="rcpt", times=3))
    async with relays_for() as relays:
        await relays.add("first", sink, priority=1, connections=1)
        await relays.add("second", other, priority=2)
        for n in range(40):
            await relays.send(f"k{n}@kunde.example")
            await relays.house.until("accepted", n + 1)
            if sink.messages:
                break

    assert 1 == len(sink.messages)
    delivered = [*_to(sink), *_to(other)]
    assert len(set(delivered)) == len(delivered) == n + 1


async def test_one_domain_that_puts_mails_off_delays_no_other(relays, sink):
    sink.faults.set("@slow.example", Fault(rcpt="451 4.7.1 try again later"))
    await relays.add("only", sink, connections=1)

    await relays.send("s0@slow.example")
    await relays.until_ruled("put_off")
    many = [f"s{n}@slow.example" for n in range(1, 30)]
    await relays.send(*many, *(f"k{n}@kunde.example" for n in range(10)))
    await relays.house.until("accepted", 10)
    waiting = await relays.until_ruled("waits_for_domain", 29)
    (slow,) = await eventually(lambda: _slow(relays), message="it is not shown")
    figures = await _figures(relays.house)
    sink.faults.clear()
    relays.house.rig.clock.advance(timedelta(minutes=3))
    await relays.house.until("accepted", 11)

    assert {"planned"} == {row["state"] for row in waiting}
    assert all("451 4.7.1 try again later" in row["reason"] for row in waiting)
    assert ("slow.example", 1) == (slow["lane"], slow["closings"])
    assert 'kantis_slow_domains{service="messaging"} 1.0' in figures

    async def all_there():
        relays.house.rig.clock.advance(timedelta(seconds=30))
        return len(await relays.house.rows("accepted")) == 40

    await eventually(all_there, message="the domain did not open again")
    await eventually(lambda: _opened(relays), message="it is still shown")


async def _slow(relays):
    return (await relays.call("GET", "/v1/mail-domains"))["slow"]


async def _opened(relays):
    return not (await relays.call("GET", "/v1/mail-domains"))["slow"]


async def test_a_person_opens_a_domain_before_its_time(relays, sink):
    sink.faults.set("@slow.example", Fault(rcpt="421 4.7.0 too many", times=1))
    await relays.add("only", sink, connections=1)
    await relays.send("a@slow.example")
    await eventually(lambda: _slow(relays), message="it is not left alone")
    await relays.send("b@slow.example")
    await relays.until_ruled("waits_for_domain")

    await relays.call("POST", "/v1/mail-domains/slow.example/open", 204)
    await relays.house.until("accepted", 2)

    assert ["a@slow.example", "b@slow.example"] == _to(sink)


async def test_so_many_a_minute_and_the_rest_waits_in_the_ledger(relays, sink):
    await relays.group("each", "*", is_together=False, messages_per_minute=3)
    await relays.add("only", sink)

    await relays.send(*(f"k{n}@kunde.example" for n in range(7)), "x@annet.example")
    await relays.house.until("accepted", 4)
    waiting = await relays.until_ruled("waits_for_domain", 4)
    begun = relays.house.rig.clock.now()
    counts = []
    for expected in (7, 8):
        relays.house.rig.clock.advance(timedelta(seconds=61))
        await relays.house.until("accepted", expected)
        counts.append(len(sink.messages))

    later = sorted((row["next_at"] - begun).total_seconds() for row in waiting)
    assert [60.0, 60.0, 60.0, 120.0] == later
    assert [7, 8] == counts
    assert "3 a minute to kunde.example" == waiting[0]["reason"]


async def test_a_sender_that_dies_leaves_a_journal_for_each_relay_and_nobody_gets_two(
    relays, sink, other
):
    await relays.add("first", sink, domains=["kunde.example"], connections=1)
    await relays.add("second", other, domains=["annet.example"], connections=1)
    passed = asyncio.Event()
    failpoints.arm("dispatch.after_dot", "raise", nth=1)
    failpoints.on("dispatch.after_dot", passed.set)

    names = [f"k{n}@{domain}.example" for n in range(6) for domain in ("kunde", "annet")]
    await relays.send(*names)
    await passed.wait()
    relays.house.rig.clock.advance(timedelta(seconds=61))
    rows = await relays.house.until_ended(12)

    delivered = _to(sink) + _to(other)
    in_doubt = [row for row in rows if row["state"] == "in_doubt"]
    assert len(set(delivered)) == len(delivered)
    assert 1 <= len(in_doubt) <= 2
    assert 12 - len(in_doubt) <= len(delivered)
