"""A backup that is put back, by the tools and in the order that operators are told to use."""

import pytest

from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.testing.dumps import Dump
from kantis_kit.testing.smtp import Fault
from kantis_kit.testing.waiting import eventually
from messaging_svc.main import SPEC

LATER = Fault(rcpt="452 4.2.2 mailbox full")
"""An answer about one mailbox: its domain is not left alone for it."""


@pytest.fixture
async def house(open_house):
    opened = await open_house()
    first = opened.rig.service
    yield opened
    if opened.rig.service is not first:
        await opened.rig.service.stop()  # the rig stops the one that it has started


@pytest.fixture
def dump(house, postgres_server, tmp_path):
    return Dump(postgres_server, "messaging", house.rig.dsns["messaging"], tmp_path / "messaging")


async def _launch(house, numbers):
    people = [house.person(n) for n in numbers]
    await house.know(*people)
    await house.rig.publish(house.launch([one.person_id for one in people]))
    await house.rig.drain()


async def _refused(house, count):
    """Wait until so many were told to come again."""

    async def there():
        rows = await house.rows("planned")
        return len([row for row in rows if row["rule"] == "put_off"]) == count

    await eventually(there, message="the mail server was not tried")


async def _restore(house, dump):
    before = house.rig.service
    await before.stop()
    await dump.restore()
    service = Service(SPEC, before.settings, clock=house.rig.clock)
    house.rig.services["messaging"] = service
    await service.start()


async def _post(house, what, body):
    async with house.rig.client(scopes=["messaging:write"]) as client:
        return await client.post(f"/v1/messages/sending/{what}", json=body)


async def _held(house):
    async def there():
        async with house.rig.client(scopes=["messaging:read"]) as client:
            told = (await client.get("/v1/messages/sending")).json()
        return told if told["held"] else None

    return await eventually(there, message="sending was not held")


async def test_a_restored_dump_sends_nothing_until_released_and_nobody_gets_a_mail_twice(
    house, dump
):
    await house.save_template()
    await _launch(house, range(4))
    await house.until_ended(4)
    for n in range(4, 10):
        house.sink.faults.set(f"kari{n}@kunde.example", LATER)
    await _launch(house, range(4, 10))
    await _refused(house, 6)
    await dump.take()
    # After the dump: half of those that waited get their mail, and a launch of which the dump knows nothing goes out.
    for n in range(4, 7):
        house.sink.faults.set(f"kari{n}@kunde.example", Fault())
    await _let_due(house)
    await house.until("accepted", 7)
    await _launch(house, range(10, 13))
    await house.until("accepted", 10)
    sent = {one["rcpt"] for one in house.sink.messages}
    log = [mail["Message-ID"] for mail in house.mails()]
    assert 10 == len(sent) == len(log)

    await _restore(house, dump)
    told = await _held(house)
    house.sink.faults.clear()
    await _let_due(house)
    await _launch(house, [13])
    await house.until("planned", 7)
    tried = len(house.sink.attempts)
    early = await _post(house, "sent", {"message_ids": [], "reason": "log"})
    odd = await _post(house, "sent", {"message_ids": ["<a\x00@b>"], "reason": "log"})
    answer = await _post(house, "sent", {"message_ids": log, "reason": "the server's log"})
    again = await _post(house, "sent", {"message_ids": log, "reason": "the server's log"})
    await house.until("accepted", 7)

    assert (6, "restored or copied" in told["reason"]) == (told["waiting"]["planned"], True)
    assert 10 == len(house.sink.messages)
    assert tried == len(house.sink.attempts)
    assert [422, 422] == [early.status_code, odd.status_code]
    assert [3, 0] == [one.json()["recorded"] for one in (answer, again)]

    released = await _post(house, "release", {"reason": "compared with the server's log"})
    assert 200 == released.status_code
    await house.until("accepted", 11)

    everybody = [one["rcpt"] for one in house.sink.messages]
    assert 14 == len(everybody) == len(set(everybody))
    late = await _post(house, "sent", {"message_ids": [f"<{new_id()}@x>"], "reason": "late"})
    assert (409, "urn:kantis:problem:sending-not-held") == (
        late.status_code,
        late.json()["type"],
    )


async def _let_due(house):
    """Let all that waits for another attempt be due now."""
    pool = await house.rig.service.database.pool()
    await pool.execute("UPDATE dispatch SET next_at = $1", house.rig.clock.now())
    await pool.execute("SELECT pg_notify('kantis_dispatch', '')")


async def test_the_events_of_what_was_sent_are_told_again_as_sent(house, dump):
    await house.save_template()
    house.sink.faults.set("*", LATER)
    await _launch(house, [0])
    await _refused(house, 1)
    await dump.take()
    house.sink.faults.clear()
    await _let_due(house)
    await house.until_ended(1)
    (mail,) = house.mails()

    await _restore(house, dump)
    await _held(house)
    bare = str(mail["Message-ID"]).strip("<>")
    answer = await _post(house, "sent", {"message_ids": [bare], "reason": "log"})
    (row,) = await house.until_ended(1)

    assert 1 == answer.json()["recorded"]
    assert ("accepted", "reconciled") == (row["state"], row["rule"])
    assert 1 == len(house.sink.messages)
