"""A sender that dies at an exact point: what was delivered, and what happens to the message afterwards."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from kantis_contracts.contacts import ConfirmationRequest, ConfirmationRequestedV1
from kantis_kit import failpoints
from kantis_kit.ids import new_id
from kantis_kit.testing.rig import LINK_KEYS
from messaging_svc.wire.connection import Connection

CHILD = Path(__file__).parent / "sender_child.py"
POINTS = (
    "dispatch.after_claim",
    "dispatch.after_rcpt",
    "dispatch.before_data",
    "dispatch.before_dot",
    "dispatch.after_dot",
    "dispatch.after_answer",
)
LEASE = timedelta(seconds=61)


async def _crash_at(house, point):
    failpoints.arm(point, "raise", nth=1)
    passed = asyncio.Event()
    failpoints.on(point, passed.set)
    return passed


def _request(email="ny@kunde.example"):
    return ConfirmationRequest(
        request_id=new_id(),
        person_id=new_id(),
        email=email,
        form_key="f",
        confirm_path="/p/x",
    )


@pytest.mark.parametrize(
    ("point", "state", "delivered"),
    [
        ("dispatch.after_claim", "accepted", 1),
        ("dispatch.after_rcpt", "accepted", 1),
        # The hand-over was committed long before; the journal knows that nothing had begun.
        ("dispatch.before_data", "accepted", 1),
        ("dispatch.before_dot", "accepted", 1),
        # From here on whether the server has it cannot be known after a crash.
        ("dispatch.after_dot", "in_doubt", 1),
        ("dispatch.after_answer", "in_doubt", 1),
    ],
)
async def test_marketing_is_repeated_only_when_it_surely_was_not_sent(
    house, point, state, delivered
):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    crashed = await _crash_at(house, point)

    await house.rig.publish(house.launch([kari.person_id]))
    await crashed.wait()
    if delivered and state == "in_doubt":
        await house.sink.wait_for(1)
    house.rig.clock.advance(LEASE)
    (row,) = await house.until_ended()

    assert state == row["state"]
    assert delivered == len(house.sink.messages)


@pytest.mark.parametrize(("point", "delivered"), list(zip(POINTS, (1, 1, 1, 1, 2, 2), strict=True)))
async def test_transactional_mail_is_repeated_with_the_same_message_id(house, point, delivered):
    crashed = await _crash_at(house, point)

    await house.rig.publish(ConfirmationRequestedV1(items=(_request(),)))
    await crashed.wait()
    if delivered == 2:
        await house.sink.wait_for(1)
    house.rig.clock.advance(LEASE)
    await house.until("accepted")

    assert delivered == len(house.sink.messages)
    assert 1 == len({record["message_id"] for record in house.sink.messages})


async def test_a_sender_that_fails_takes_nothing_up_while_it_says_goodbye(house, monkeypatch):
    goodbyes = []
    monkeypatch.setattr(Connection, "finish", goodbyes.append)
    crashed = await _crash_at(house, "dispatch.before_data")

    await house.rig.publish(ConfirmationRequestedV1(items=(_request(),)))
    await crashed.wait()
    house.rig.clock.advance(LEASE)
    await house.until("accepted")

    assert [] == goodbyes
    assert 1 == len(house.sink.messages)


async def test_a_person_resolves_what_is_in_doubt_and_the_log_keeps_it(house):
    await house.save_template()
    people = [house.person(0), house.person(1)]
    await house.know(*people)
    crashed = await _crash_at(house, "dispatch.after_dot")
    await house.rig.publish(house.launch([people[0].person_id]))
    await crashed.wait()
    house.rig.clock.advance(LEASE)
    (row,) = await house.until("in_doubt")

    async with house.rig.client(scopes=["messaging:write"]) as client:
        path = f"/v1/messages/{row['id']}/resolve"
        wordless = await client.post(path, json={"outcome": "not_sent", "reason": ""})
        good = await client.post(
            path, json={"outcome": "not_sent", "reason": "not in the server's log"}
        )
        await house.until("accepted")
        twice = await client.post(path, json={"outcome": "sent", "reason": "pressed again"})
        nothing = await client.post(
            f"/v1/messages/{new_id()}/resolve", json={"outcome": "sent", "reason": "who?"}
        )

    assert [422, 200, 409, 404] == [
        answer.status_code for answer in (wordless, good, twice, nothing)
    ]
    assert 2 == len(house.sink.messages), "the person was wrong, and is believed"
    pool = await house.rig.service.database.pool()
    assert 1 == await pool.fetchval("SELECT count(*) FROM audit WHERE action = 'messages.resolve'")


async def test_a_stop_ends_what_is_on_the_wire_and_gives_the_rest_back(house):
    await house.save_template()
    people = [house.person(n) for n in range(60)]
    await house.know(*people)
    started = asyncio.Event()
    failpoints.on("dispatch.after_answer", started.set)

    await house.rig.publish(house.launch([one.person_id for one in people]))
    await started.wait()
    pool = await house.rig.service.database.connect()
    try:
        await house.rig.service.stop()
        left = Counter(row["state"] for row in await pool.fetch("SELECT state FROM dispatch"))
    finally:
        await pool.close()

    assert {"accepted", "planned"} >= set(left)
    assert len(house.sink.messages) == left["accepted"]


async def _kill_rounds(house, sink, recipients, rounds, *, requests=0, **more):
    """Send to that many people; the sender kills itself at each of these points, then one is left alone."""
    await house.save_template()
    people = [house.person(n) for n in range(recipients)]
    for start in range(0, recipients, 500):
        await house.know(*people[start : start + 500])
    await house.rig.publish(house.launch([one.person_id for one in people]))
    if requests:
        asked = [_request(f"ny{n}@kunde.example") for n in range(requests)]
        await house.rig.publish(ConfirmationRequestedV1(items=tuple(asked)))
    recipients += requests
    await house.until("planned", recipients)
    settings = {
        "postgres_dsn": house.rig.dsns["messaging"], "keys_dir": str(house.rig.keys_dir), "link_keys": LINK_KEYS,
        "data_dir": str(house.rig.data_dir),
        "smtp_host": "127.0.0.1", "smtp_port": sink.port, "sender_lease_seconds": 1, "broker_url": "postgresql://",
        "public_url": "http://kantis.test", "mail_from": "post@lys.example", **more,
    }  # fmt: skip
    for point in rounds:
        child = await _start(settings, failpoints=point)
        assert -signal.SIGKILL == await child.wait(), point
    last = await _start(settings)
    try:
        await house.until_ended(recipients)
    finally:
        last.terminate()
        await last.wait()
    return await house.rows()


async def _start(settings, **environment):
    names = {f"KANTIS_{key.upper()}": value for key, value in environment.items()}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(CHILD), json.dumps(settings), env={**os.environ, **names}
    )


def _check(rows, sink, kills):
    states = {row["id"]: row["state"] for row in rows}
    delivered = [record["dispatch_key"] for record in sink.messages]
    accepted = {str(key) for key, state in states.items() if state == "accepted"}
    in_doubt = {str(key) for key, state in states.items() if state == "in_doubt"}
    assert len(delivered) == len(set(delivered)), "somebody was mailed twice"
    assert accepted <= set(delivered), "a message is called accepted and was never taken"
    assert set(delivered) <= accepted | in_doubt, "a message was taken and nobody knows"
    assert len(rows) == len(accepted | in_doubt), "a message did not come to its end"
    assert len(in_doubt) <= kills * 8


async def test_kills_while_sending_mail_nobody_twice_and_leave_few_in_doubt(sink, open_house):
    house = await open_house(smtp_host="")
    rounds = ["dispatch.after_dot:kill@20", "dispatch.before_data:kill@15"]

    rows = await _kill_rounds(house, sink, 100, rounds)

    _check(rows, sink, len(rounds))


@pytest.mark.slow
async def test_ten_kills_in_a_thousand_recipients(sink, open_house):
    house = await open_house(smtp_host="")
    rounds = [f"{POINTS[n % 5 + 1]}:kill@{40 + 7 * n}" for n in range(10)]

    rows = await _kill_rounds(house, sink, 1_000, rounds)

    _check(rows, sink, len(rounds))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("point", POINTS)
async def test_ten_kills_at_one_exact_point_while_both_kinds_of_mail_are_sent(
    sink, open_house, point
):
    """On one connection, so that whatever happens is of the mail that was at that point."""
    house = await open_house(smtp_host="")
    # At the first claim nothing is on the wire yet; the others are passed by one mail after the other.
    rounds = [f"{point}:kill@{1 if point == POINTS[0] else 7 + n % 3}" for n in range(10)]

    rows = await _kill_rounds(
        house, sink, 150, rounds, requests=50, sender_concurrency=1, sender_batch=10
    )

    marketing = [row for row in rows if row["is_marketing"]]
    notices = [row for row in rows if not row["is_marketing"]]
    in_doubt = [row for row in marketing if row["state"] == "in_doubt"]
    times = Counter(record["dispatch_key"] for record in sink.messages)
    names = Counter(key for key, _ in {(r["dispatch_key"], r["message_id"]) for r in sink.messages})
    again = [row for row in notices if times[str(row["id"])] > 1]
    is_behind = point in POINTS[-2:]
    assert {"accepted"} == {row["state"] for row in notices}
    assert {"accepted", "in_doubt"} >= {row["state"] for row in marketing}
    assert {1} == {times[str(row["id"])] for row in marketing}, "twice, or never"
    assert {1} == set(names.values()), "another Message-ID"
    assert (
        len(in_doubt) + sum(times[str(row["id"])] - 1 for row in again) <= len(rounds) * is_behind
    )
    sys.stdout.write(
        f"{point}: kills {len(rounds)}, marketing {len(marketing)}, in doubt {len(in_doubt)}, twice 0; transactional "
        f"{len(notices)}, repeated with the same Message-ID {len(again)}\n"
    )
