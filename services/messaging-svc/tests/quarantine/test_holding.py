"""A database that is not the one that sent last sends nothing until a person says so."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg
import pytest

from kantis_contracts.contacts import ConfirmationRequest, ConfirmationRequestedV1
from kantis_kit.clock import FrozenClock
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.testing.waiting import eventually
from messaging_svc.dispatch.mail import send_loop
from messaging_svc.main import SPEC
from messaging_svc.quarantine.epoch_file import NAME, raise_epoch, read_epoch


@pytest.fixture
async def house(open_house):
    opened = await open_house()
    first = opened.rig.service
    yield opened
    if opened.rig.service is not first:
        await opened.rig.service.stop()  # the rig stops the one that it has started


async def _tell(house, query, *values):
    pool = await house.rig.service.database.pool()
    return await pool.fetchval(query, *values)


async def _started(house):
    async def there():
        return await _tell(house, "SELECT epoch FROM sending WHERE epoch > 0")

    return await eventually(there, message="the sender did not store which database it sends from")


async def _all_started(house):
    """Wait for both senders, of mails and of letters: each begins an epoch, also in a database that is set back just then."""
    folder = house.rig.service.settings.data_dir

    async def there():
        epoch = await _tell(house, "SELECT epoch FROM sending")
        return epoch is not None and 2 <= epoch == read_epoch(folder)

    await eventually(there, message="not every sender has begun an epoch")


async def _held(house):
    async def there():
        return await _tell(house, "SELECT reason FROM sending WHERE held_since IS NOT NULL")

    return await eventually(there, message="sending was not held")


async def _restart(house, clock=None):
    """End the service, and start another one on the same database and folder."""
    before = house.rig.service
    await before.stop()
    service = Service(SPEC, before.settings, clock=clock or house.rig.clock)
    house.rig.services["messaging"] = service
    await service.start()
    return service


async def _plan(house, count):
    """Plan a campaign for that many people, and one confirmation."""
    await house.save_template()
    people = [house.person(n) for n in range(count)]
    await house.know(*people)
    await house.rig.publish(house.launch([one.person_id for one in people]))
    request = ConfirmationRequest(
        request_id=new_id(), person_id=new_id(), email="ny@kunde.example", form_key="f",
        confirm_path="/p/x",
    )  # fmt: skip
    await house.rig.publish(ConfirmationRequestedV1(items=(request,)))
    await house.rig.drain()
    await house.until("planned", count + 1)


async def _release(house):
    async with house.rig.client(scopes=["messaging:write"]) as client:
        return await client.post(
            "/v1/messages/sending/release", json={"reason": "compared with the server's log"}
        )


async def _sending(house):
    async with house.rig.client(scopes=["messaging:read"]) as client:
        return (await client.get("/v1/messages/sending")).json()


# What a restore leaves behind, told to a database whose sender runs.
RESTORED = {
    "made anew": "UPDATE sending SET database_oid = database_oid + 1",
    "another server": "UPDATE sending SET system_identifier = system_identifier + 1",
    "older than its sender": "UPDATE sending SET epoch = 0",
}


@pytest.mark.parametrize("query", RESTORED.values(), ids=RESTORED)
async def test_a_restored_database_sends_nothing_until_released_and_then_what_was_planned(
    house, query
):
    await _all_started(house)
    await _tell(house, query)
    reason = await _held(house)
    await _plan(house, 5)

    told = await _sending(house)
    house.rig.service.figures.fresh_seconds = 0
    async with house.rig.anonymous() as client:
        figures = (await client.get("/metrics")).text
        ready = await client.get("/readyz")
    assert [] == house.sink.attempts
    assert (True, reason, 6) == (told["held"], told["reason"], told["waiting"]["planned"])
    assert 'kantis_sending_held{service="messaging"} 1.0' in figures
    assert 200 == ready.status_code

    assert 200 == (await _release(house)).status_code
    await house.until("accepted", 6)

    assert 6 == len(house.sink.messages) == len({one["rcpt"] for one in house.sink.messages})
    assert not (await _sending(house))["held"]
    assert 409 == (await _release(house)).status_code
    actions = "SELECT count(*) FROM audit WHERE action IN ('messages.hold', 'messages.release')"
    assert 2 == await _tell(house, actions)


async def test_a_database_that_was_set_back_before_the_start_is_held_by_the_file(house):
    await _started(house)
    await _restart_after(house, "UPDATE sending SET epoch = 0")

    assert "older than its sender" in await _held(house)


async def test_a_dump_from_before_the_first_start_is_held_by_the_file(house):
    await _started(house)
    kari = house.person(0)
    await house.know(kari)
    await house.save_template()
    await house.rig.publish(house.launch([kari.person_id]))
    await house.until_ended(1)
    await _restart_after(house, "DELETE FROM sending")

    assert "older than its sender" in await _held(house)


async def _restart_after(house, query):
    pool = await house.rig.service.database.connect()
    try:
        await house.rig.service.stop()
        await pool.execute(query)
    finally:
        await pool.close()
    await _restart(house)


async def test_a_clock_that_stands_before_the_last_sending_holds_it(house):
    await _started(house)
    await _restart(house, FrozenClock(house.rig.clock.now() - timedelta(hours=5)))

    assert "clock" in await _held(house)


async def test_a_restart_with_its_folder_or_without_its_file_holds_nothing(house):
    first = await _started(house)
    await _restart(house)
    await _later_than(house, first)
    (house.rig.data_dir / NAME).unlink()
    second = await _started(house)
    await _restart(house)
    await _later_than(house, second)

    assert not (await _sending(house))["held"]


async def _later_than(house, number):
    async def there():
        return await _tell(house, "SELECT epoch FROM sending WHERE epoch > $1", number)

    await eventually(there, message="no new epoch was begun")


async def test_two_senders_of_one_installation_do_not_hold_each_other(house):
    first = await _started(house)
    one = house.rig.service
    other = Service(SPEC, one.settings, clock=house.rig.clock)
    async with _loop(other):
        await _later_than(house, first)
        people = [house.person(n) for n in range(30)]
        await house.save_template()
        await house.know(*people)
        await house.rig.publish(house.launch([each.person_id for each in people]))
        await house.until("accepted", 30)

        assert not (await _sending(house))["held"]
        assert 30 == len(house.sink.messages)


async def test_mails_go_out_where_the_server_does_not_tell_which_cluster_it_is(
    house, postgres_server
):
    dsn = house.rig.dsns["messaging"]
    admin = await asyncpg.connect(
        postgres_server.admin_dsn(urlsplit(dsn).path.removeprefix("/")), timeout=10
    )
    try:
        await admin.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    finally:
        await admin.close()
    await house.save_template()
    kari = house.person(1)
    await house.know(kari)
    await house.rig.publish(house.launch([kari.person_id]))
    await house.until("accepted", 1)

    assert 1 == len(house.sink.messages)
    assert not (await _sending(house))["held"]


@asynccontextmanager
async def _loop(service):
    task = asyncio.get_running_loop().create_task(send_loop(service))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        await service.stop()


def test_the_file_only_grows(tmp_path):
    assert 0 == read_epoch(tmp_path)

    assert raise_epoch(tmp_path, 7)
    assert raise_epoch(tmp_path, 5)

    assert 7 == read_epoch(tmp_path)
    assert not raise_epoch(tmp_path / "nowhere", 8)


def test_a_file_that_says_nothing_counts_as_missing(tmp_path):
    (tmp_path / NAME).write_text("")

    assert 0 == read_epoch(tmp_path)
