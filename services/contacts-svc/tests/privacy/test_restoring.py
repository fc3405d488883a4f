"""Who was erased stays erased when yesterday's database is put back."""

import errno
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from contacts_svc.main import SPEC
from contacts_svc.privacy import ledger
from contacts_svc.privacy.ledger import NAME, Erasure, append, read_all
from kantis_contracts.contacts import PersonChangedV1
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.testing.dumps import Dump
from kantis_kit.testing.waiting import eventually

SECRETS = re.compile("kari|41234567|liv@|livsen|41234569", re.IGNORECASE)
MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def contact(name, number):
    return {
        "full_name": f"{name} {name}sen",
        "email": f"{name.lower()}@example.com",
        "phone": f"+474123456{number}",
    }


KARI, OLA, LIV = contact("Kari", 7), contact("Ola", 8), contact("Liv", 9)


@pytest.fixture
async def rig(rig_for):
    opened = await rig_for(SPEC)
    first = opened.service
    yield opened
    if opened.service is not first:
        await opened.service.stop()  # the rig stops the one that it has started


@pytest.fixture
def dump(rig, postgres_server, tmp_path):
    return Dump(postgres_server, "contacts", rig.dsns["contacts"], tmp_path / "contacts.dump")


async def _make(client, whom):
    answer = await client.post("/v1/contacts", json=whom)
    assert 201 == answer.status_code, answer.text
    return answer.json()["id"]


async def _restart(rig, dump=None):
    before = rig.service
    await before.stop()
    if dump:
        await dump.restore()
    service = Service(SPEC, before.settings, clock=rig.clock)
    rig.services["contacts"] = service
    await service.start()


async def _erased(rig, count):
    async def there():
        pool = await rig.service.database.pool()
        return count == await pool.fetchval("SELECT count(*) FROM person WHERE is_erased")

    await eventually(there, message="who came back was not erased again")


async def _texts(rig):
    pool = await rig.service.database.pool()
    tables = await pool.fetch(
        "SELECT quote_ident(table_name) AS name FROM information_schema.tables"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return [
        (table["name"], row["text"])
        for table in tables
        for row in await pool.fetch(f"SELECT t::text AS text FROM {table['name']} t")
    ]


async def test_who_was_erased_after_the_backup_is_erased_again_at_the_start(rig, dump):
    async with rig.client() as client:
        kari, ola = await _make(client, KARI), await _make(client, OLA)
        await rig.drain()
        await dump.take()
        for note in ("blue", "red", "green"):  # others know higher versions than the dump
            shown = await client.get(f"/v1/contacts/{kari}")
            change = {"json": {"note": note}, "headers": {"If-Match": shown.headers["etag"]}}
            assert 200 == (await client.patch(f"/v1/contacts/{kari}", **change)).status_code
        liv = await _make(client, LIV)  # the dump does not know her at all
        assert 204 == (await client.delete(f"/v1/contacts/{kari}")).status_code
        assert 204 == (await client.delete(f"/v1/contacts/{liv}")).status_code
        await rig.drain()
    before = (rig.data_dir / NAME).read_bytes()

    await _restart(rig, dump)
    await _erased(rig, 1)
    await rig.drain()

    async with rig.client() as client:
        shown = [(await client.get(f"/v1/contacts/{one}")).status_code for one in (kari, ola, liv)]
        back = [(await client.post("/v1/contacts", json=one)).status_code for one in (KARI, LIV)]
    assert [404, 200, 404] == shown
    assert [409, 409] == back
    assert [] == [text for text in await _texts(rig) if SECRETS.search(text[1])]
    assert SECRETS.search(before.decode()) is None
    assert before == (rig.data_dir / NAME).read_bytes()
    newest = [one for one in rig.items(PersonChangedV1) if str(one.person_id) == kari][-1]
    assert (True, None, 5) == (newest.is_erased, newest.email, newest.version)
    pool = await rig.service.database.pool()
    again = "SELECT subject FROM audit WHERE action = 'contacts.erase_again'"
    assert [kari] == [row["subject"] for row in await pool.fetch(again)]


async def test_a_replay_tells_every_service_again_who_was_erased(rig):
    async with rig.client() as client:
        kari = await _make(client, KARI)
        await _make(client, OLA)
        await client.delete(f"/v1/contacts/{kari}")
        await rig.drain()
        told = len(rig.items(PersonChangedV1))

        answer = await client.post("/v1/contacts/erasures/replay")
        await rig.drain()

    assert {"erased_again": 0, "announced": 1} == answer.json()
    (new,) = rig.items(PersonChangedV1)[told:]
    assert (kari, True) == (str(new.person_id), new.is_erased)


async def test_a_lost_record_is_made_anew_from_the_database(rig):
    async with rig.client() as client:
        kari = await _make(client, KARI)
        await client.delete(f"/v1/contacts/{kari}")
        before = read_all(rig.data_dir)
        (rig.data_dir / NAME).unlink()
        await client.post("/v1/contacts/erasures/replay")
        await client.post("/v1/contacts/erasures/replay")

    after = read_all(rig.data_dir)
    assert [kari] == [str(one.person_id) for one in after if one.person_id]
    hashes = {pair for one in before for pair in one.hashes}
    assert 2 == len(hashes)
    assert sorted(hashes) == sorted(pair for one in after for pair in one.hashes)


async def test_an_erasure_that_cannot_be_recorded_is_refused_and_nothing_of_it_stays(rig):
    (rig.data_dir / NAME).mkdir()
    async with rig.client() as client:
        kari = await _make(client, KARI)

        refused = await client.delete(f"/v1/contacts/{kari}")
        shown = await client.get(f"/v1/contacts/{kari}")
        (rig.data_dir / NAME).rmdir()
        erased = await client.delete(f"/v1/contacts/{kari}")

    assert (503, "urn:kantis:problem:erasure-not-recorded") == (
        refused.status_code,
        refused.json()["type"],
    )
    assert (200, 204) == (shown.status_code, erased.status_code)


async def test_a_record_that_cannot_be_completed_holds_back_no_erasure(rig, monkeypatch):
    async with rig.client() as client:
        kari, ola = await _make(client, KARI), await _make(client, OLA)
        append(rig.data_dir, [Erasure(UUID(kari), MOMENT, version=7)])
        pool = await rig.service.database.pool()
        await pool.execute(
            "INSERT INTO suppressed_address VALUES ($1, 'email', $2)", b"unrecorded", MOMENT
        )

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(ledger, "append", full)
        answer = await client.post("/v1/contacts/erasures/replay")
        shown = [(await client.get(f"/v1/contacts/{one}")).status_code for one in (kari, ola)]

    assert (
        1 == answer.json()["announced"]
    )  # the worker, at its start, may have been quicker to erase
    assert [404, 200] == shown
    assert 7 == await pool.fetchval("SELECT version FROM person WHERE is_erased")


async def test_who_comes_back_by_their_own_wish_stays(rig):
    async with rig.client() as client:
        kari = await _make(client, KARI)
        await client.delete(f"/v1/contacts/{kari}")
        back = await _make(client, {**KARI, "after_erasure": True})
        await _restart(rig)
    async with rig.client() as client:
        answer = await client.post("/v1/contacts/erasures/replay")
        shown = await client.get(f"/v1/contacts/{back}")

    assert 0 == answer.json()["erased_again"]
    assert 200 == shown.status_code


def test_a_line_that_a_crash_has_cut_off_costs_no_other(tmp_path):
    first, second = (
        Erasure(new_id(), MOMENT, (("email", b"\x01" * 32),)),
        Erasure(None, MOMENT, (("phone", b"\x02" * 32),)),
    )
    assert [] == read_all(tmp_path)
    append(tmp_path, [first])
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"person":"0198')
    append(tmp_path, [])
    append(tmp_path, [second])

    assert [first, second] == read_all(tmp_path)
    assert 0o600 == (tmp_path / NAME).stat().st_mode & 0o777
