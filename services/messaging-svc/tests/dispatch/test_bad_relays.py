"""Mail servers that hang, break off or lie, in every phase: what stands in the ledger afterwards, and what was delivered."""

import asyncio
import random
import sys
from collections import Counter
from datetime import timedelta

import pytest

from kantis_kit.testing.smtp import Fault
from kantis_kit.testing.waiting import eventually

QUICK = {"smtp_timeout_seconds": 0.15, "smtp_final_timeout_seconds": 0.15, "sender_concurrency": 1}
"""For servers that never answer: here the wait is what is tested."""


async def _launch(house, *addresses):
    await house.save_template()
    people = [house.person(n, email=address) for n, address in enumerate(addresses)]
    await house.know(*people)
    await house.rig.publish(house.launch([one.person_id for one in people]))


def _delivered(sink):
    return sorted(record["rcpt"] for record in sink.messages)


async def _all(house, state, count):
    """Wait for so many in a state, while what was put back for a while becomes due."""

    async def there():
        house.rig.clock.advance(timedelta(seconds=2))
        rows = await house.rows(state)
        return rows if len(rows) >= count else []

    return await eventually(there, message=f"{count} did not become {state}")


@pytest.mark.parametrize("kind", ["hang_at", "reset_at"])
@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail", "rcpt", "data"])
async def test_before_the_content_nothing_is_lost_and_no_attempt_is_counted(
    open_house, sink, stage, kind
):
    sink.faults.set("*", Fault(**{kind: stage}, times=1))
    house = await open_house(**QUICK)

    await _launch(house, "a@kunde.example", "b@kunde.example")
    rows = await _all(house, "accepted", 2)

    assert ["a@kunde.example", "b@kunde.example"] == _delivered(sink)
    assert [1, 1] == [row["attempts"] for row in rows]


@pytest.mark.parametrize("kind", ["hang_at", "reset_at"])
async def test_behind_the_content_one_is_in_doubt_and_the_one_behind_it_is_not(
    open_house, sink, kind
):
    sink.faults.set("a@kunde.example", Fault(**{kind: "dot"}))
    house = await open_house(**QUICK)

    await _launch(house, "a@kunde.example", "b@kunde.example")
    (doubtful,) = await _all(house, "in_doubt", 1)
    (accepted,) = await _all(house, "accepted", 1)

    assert ("no_answer", 1) == (doubtful["rule"], accepted["attempts"])
    assert ["a@kunde.example", "b@kunde.example"] == _delivered(sink)


class Odd:
    """A mail server that announces PIPELINING, and does one thing wrong."""

    def __init__(self, fault):
        self.fault, self.taken, self.connections = fault, [], 0

    async def serve(self, reader, writer):
        self.connections += 1
        recipient = ""
        writer.write(b"220 odd\r\n")
        while line := (await reader.readline()).decode():
            verb = line.split()[0]
            if verb == "QUIT" and self.fault == "hangs at QUIT":
                await reader.read()
            elif verb in ("MAIL", "RCPT") and self.fault == "forgets what was sent ahead":
                reader._buffer.clear()
            elif verb == "MAIL" and self.fault == "calls it a crime" and reader._buffer:
                writer.write(b"554 5.5.0 sent ahead\r\n")
                break
            if verb == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
            if verb == "EHLO":
                writer.write(b"250-odd\r\n250 PIPELINING\r\n")
            elif verb == "DATA":
                writer.write(b"354 go\r\n")
                if self.fault == "drops in DATA" and not self.taken:
                    await reader.read(10)
                    self.taken.append("")
                    break
                await reader.readuntil(b"\r\n.\r\n")
                self.taken.append(recipient)
                writer.write(b"250 taken\r\n")
            else:
                writer.write(b"250 ok\r\n")
        writer.close()

    async def __aenter__(self):
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.listener.close()


@pytest.mark.parametrize("fault", ["forgets what was sent ahead", "calls it a crime"])
async def test_a_lie_about_pipelining_costs_a_connection_and_no_message(open_house, fault):
    async with Odd(fault) as odd:
        house = await open_house(smtp_port=odd.port, **QUICK)
        await _launch(house, "a@kunde.example", "b@kunde.example")
        rows = await _all(house, "accepted", 2)

    assert [1, 1] == [row["attempts"] for row in rows]
    assert ["a@kunde.example", "b@kunde.example"] == sorted(odd.taken)


async def test_a_server_that_drops_the_line_within_the_content_leaves_one_in_doubt(open_house):
    async with Odd("drops in DATA") as odd:
        house = await open_house(smtp_port=odd.port, **QUICK)
        await _launch(house, "a@kunde.example", "b@kunde.example")
        (doubtful,) = await _all(house, "in_doubt", 1)
        (accepted,) = await _all(house, "accepted", 1)

    assert "no_answer" == doubtful["rule"]
    assert 2 == len(odd.taken)
    assert {doubtful["id"], accepted["id"]} == {row["id"] for row in await house.rows()}


async def test_a_server_that_hangs_at_the_goodbye_keeps_nothing_from_its_end(open_house):
    async with Odd("hangs at QUIT") as odd:
        house = await open_house(smtp_port=odd.port, **QUICK)
        await _launch(house, "a@kunde.example")
        await house.until("accepted", 1)
        pool = await house.rig.service.database.connect()
        try:
            await house.rig.service.stop()
            states = [row["state"] for row in await pool.fetch("SELECT state FROM dispatch")]
        finally:
            await pool.close()

    assert ["accepted"] == states
    assert ["a@kunde.example"] == odd.taken


async def test_what_was_handed_over_when_the_server_went_is_decided_on_anew_and_never_in_doubt(
    open_house, sink
):
    house = await open_house(**QUICK)
    sink.faults.set("*", Fault(reset_at="mail"))

    await _launch(house, *(f"k{n}@kunde.example" for n in range(6)))
    await eventually(lambda: sink.connections or sink.most_connections, message="nobody came")
    await eventually(lambda: _none_handed_over(house), message="something stays handed over")
    house.rig.clock.advance(timedelta(minutes=2))
    sink.faults.clear()
    await _all(house, "accepted", 6)

    assert 6 == len(_delivered(sink))


async def _none_handed_over(house):
    rows = await house.rows()
    tried = [row for row in rows if row["fence"]]
    return tried and not [row for row in rows if row["state"] == "handed_over"]


TROUBLES = {
    "silent at the greeting": Fault(reset_at="mail", hang_at="connect", times=2),
    "not now": Fault(reset_at="mail", connect="421 4.3.2 not now", times=2),
    "silent at EHLO": Fault(reset_at="mail", hang_at="ehlo", times=2),
    **{f"silent at {stage}": Fault(hang_at=stage, times=1) for stage in ("mail", "rcpt", "data", "dot")},
    **{f"breaks off at {stage}": Fault(reset_at=stage, times=1) for stage in ("mail", "rcpt", "data", "dot")},
}  # fmt: skip
"""What a whole server does; where a new connection is needed to meet it, the old one breaks off first."""
DOMAINS = ("well", "slow", "ill", "never", "dead")


def _trouble_domains(sink, each):
    """One of five domains is in order, one puts a fifth off, one is full once, one refuses, one is dead."""
    for n in range(each):
        if n % 5 == 0:
            sink.faults.set(f"k{n}@slow.example", Fault(rcpt="451 4.3.0 later", times=1))
        sink.faults.set(f"k{n}@ill.example", Fault(dot="452 4.3.1 full", times=1))
        word = Fault(rcpt="550 5.1.1 no such user") if n % 2 else Fault(dot="554 5.7.1 not wanted")
        sink.faults.set(f"k{n}@never.example", word)
    sink.faults.set("@dead.example", Fault(rcpt="450 4.2.0 away"))


async def _through_troubles(house, *, each, rounds):
    """Send to all domains while the server goes through every trouble; return the rows by address, and what was late."""
    chance, sink = random.Random(20_261_125), house.sink
    _trouble_domains(sink, each)
    addresses = [f"k{n}@{name}.example" for n in range(each) for name in DOMAINS]
    chance.shuffle(addresses)
    troubles = list(TROUBLES.values()) * rounds
    chance.shuffle(troubles)
    await house.save_template()
    people = {house.person(n, email=one).person_id: one for n, one in enumerate(addresses)}
    cards = [
        house.person(n, person_id=who, email=one) for n, (who, one) in enumerate(people.items())
    ]
    for start in range(0, len(cards), 500):
        await house.know(*cards[start : start + 500])
    async with house.rig.client() as client:  # so many refusals would pause the launch
        limit = {"rate_pct": 90, "min_messages": 1_000, "window_minutes": 60}
        answer = await client.put("/v1/sending-rules/spikes/bounce", json=limit)
    assert 200 == answer.status_code, answer.text
    over = house.rig.clock.now() + timedelta(hours=3)
    await house.rig.publish(house.launch(list(people), not_after=over))
    current, waited, late = troubles.pop(), 0, None
    sink.faults.set("*", current)
    pool = await house.rig.service.database.pool()
    await house.rig.drain()  # every message is planned

    async def ended():
        nonlocal current, waited, late
        house.rig.clock.advance(timedelta(seconds=20))
        waited += 1
        # Once nearly all mails are through, some troubles find nobody who meets them.
        if troubles and (sink.faults.happened("*") >= current.times or waited > 20):
            current, waited = troubles.pop(), 0
            sink.faults.set("*", current)
        left = await pool.fetch("SELECT person_id FROM dispatch WHERE settled_at IS NULL")
        waiting = Counter(people[row["person_id"]].partition("@")[2] for row in left)
        if late is None and not waiting["well.example"]:
            late = waiting["dead.example"]
        return not left and not troubles

    await eventually(ended, message="the launch came to no end", within=1_500)
    return {people[row["person_id"]]: row for row in await house.rows()}, late


@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_five_domains_through_every_trouble_of_their_server(open_house):
    each, rounds, most = 100, 1, 8
    house = await open_house(
        sender_concurrency=4,
        smtp_timeout_seconds=1,
        smtp_final_timeout_seconds=1,
        max_attempts=most,
        sender_lease_seconds=86_400,
    )

    rows, late = await _through_troubles(house, each=each, rounds=rounds)

    states = {name: Counter() for name in DOMAINS}
    for address, row in rows.items():
        states[address.partition("@")[2].partition(".")[0]][row["state"]] += 1
    delivered = Counter(record["rcpt"] for record in house.sink.messages)
    in_doubt = sum(one["in_doubt"] for one in states.values())
    for name in ("well", "slow", "ill"):
        assert {"accepted", "in_doubt"} >= set(states[name]), states
    # Each trouble can cost what a connection had given the server in full.
    assert in_doubt <= rounds * len(TROUBLES)
    assert {"failed": each} == states["never"]
    assert {1} == {row["attempts"] for one, row in rows.items() if "@never" in one}, "tried again"
    assert {"expired", "failed"} >= set(states["dead"])
    assert most >= max(row["attempts"] for row in rows.values())
    assert late, "nobody had to wait for those of the dead domain"
    known = {one for one, row in rows.items() if row["state"] in ("accepted", "in_doubt")}
    assert {1} == set(delivered.values()), "twice"
    assert (
        {one for one, row in rows.items() if row["state"] == "accepted"} <= set(delivered) <= known
    )
    sys.stdout.write(
        f"recipients {len(rows)} of 5 domains, troubles {rounds * len(TROUBLES)}: "
        f"{ {name: dict(one) for name, one in states.items()} }, refused and tried again 0, twice 0, "
        f"of the dead domain {late} still waited when the one in order had ended\n"
    )
