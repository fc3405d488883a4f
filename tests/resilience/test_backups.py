"""A dump with a byte changed or an end cut off is noticed before it is put back, and a whole one brings every row back."""

import hashlib
import random
from datetime import UTC, datetime

import asyncpg
import pytest

from contacts_svc.main import SPEC
from kantis.backups import SUMS, faults_in
from kantis_kit.testing.dumps import Dump

SEED = 20_261_125
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def sums_of(dsn):
    """Return a sum of every table's rows."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND relnamespace = 'public'::regnamespace AND NOT relispartition"
        )
        return {
            row["name"]: await connection.fetchval(
                f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {row['name']} AS t"
            )
            for row in tables
        }
    finally:
        await connection.close()


async def damage_and_restore(rig_for, server, folder, *, people, flips):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        for number in range(people):
            body = {"full_name": f"Kari {number}", "email": f"kari{number}@kunde.example"}
            assert 201 == (await client.post("/v1/contacts", json=body)).status_code
    await rig.drain()
    file = folder / "backup" / "kantis_contacts.dump"
    file.parent.mkdir()
    dump = Dump(server, "contacts", rig.dsns["contacts"], file)
    await rig.service.stop()
    before = await sums_of(rig.dsns["contacts"])
    await dump.take()
    whole = file.read_bytes()
    (file.parent / SUMS).write_text(f"{hashlib.sha256(whole).hexdigest()}  {file.name}\n")

    def faults():
        return list(faults_in(folder, hours=10**9, now=NOW))

    rng = random.Random(SEED)
    noticed = 0
    for _ in range(flips):
        place = rng.randrange(len(whole))
        file.write_bytes(
            whole[:place] + bytes([whole[place] ^ (1 << rng.randrange(8))]) + whole[place + 1 :]
        )
        noticed += len(faults())
        file.write_bytes(whole[:place])
        noticed += len(faults())
    file.write_bytes(whole)
    assert (2 * flips, []) == (noticed, faults())
    await dump.restore()

    assert before == await sums_of(rig.dsns["contacts"])


async def test_a_damaged_dump_is_noticed_and_a_whole_one_brings_every_row_back(
    rig_for, postgres_server, tmp_path
):
    await damage_and_restore(rig_for, postgres_server, tmp_path, people=5, flips=10)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_thousand_damages_are_noticed_and_a_thousand_people_come_back(
    rig_for, postgres_server, tmp_path
):
    await damage_and_restore(rig_for, postgres_server, tmp_path, people=1_000, flips=1_000)
