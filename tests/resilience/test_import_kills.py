"""The service that takes a file in may be killed in the middle of it: no row is lost, none is doubled, all are told."""

import asyncio
import json
import os
import signal
import sys

import asyncpg
import pytest

from kantis_kit.testing.waiting import eventually

ROWS = 6_000
BAD = 12
KILLS = (1, 3_000)
"""The service is killed as soon as it is that far."""


def write_file(path):
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("navn;e-post;sted\r\n")
        for number in range(ROWS):
            mail = "feil@" if number % (ROWS // BAD) == 7 else f"file.{number}@eksempel.test"
            file.write(f"Kari Nummer{number};{mail};Ålesund\r\n")


async def import_file(house, path):
    """Run `kantis import`, which waits while nobody answers; return what it tells."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "kantis", "import", str(path), "--json"),
        env=house.environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await running.communicate()
    assert running.returncode == 0, err.decode()[-3000:]
    return json.loads(out)


async def kill_contacts(house):
    """SIGKILL the processes of contacts-svc."""
    for pid, name in (await house.children()).items():
        if "-m kantis" in name and "contacts" in name:
            os.kill(pid, signal.SIGKILL)
            house.killed.append(name[-60:])


async def kill_on_the_way(house):
    for place in KILLS:

        async def is_there(place=place):
            rows = await house.fetch("contacts", "SELECT row_number, state FROM import")
            return rows and (rows[0]["row_number"] >= place or rows[0]["state"] != "running")

        await eventually(
            is_there,
            message=f"the import did not come to row {place}",
            within=120,
            retry_on=(OSError, asyncpg.PostgresError),
        )
        await kill_contacts(house)


async def count(house, service, query):
    return (await house.fetch(service, query))[0]["n"]


@pytest.mark.timeout(400)
async def test_a_killed_import_goes_on_and_each_row_is_there_once(open_house, tmp_path):
    path = tmp_path / "people.csv"
    write_file(path)
    async with open_house(tmp_path, "--processes") as house:
        told, _ = await asyncio.gather(import_file(house, path), kill_on_the_way(house))
        good = ROWS - BAD
        mine = "FROM identifier WHERE value LIKE 'file.%'"

        async def is_told():
            query = "SELECT count(*) AS n FROM person_card WHERE email LIKE 'file.%'"
            return good == await count(house, "messaging", query)

        await eventually(is_told, message="messaging does not know them all", within=120)

        assert len(KILLS) <= len(house.killed)
        assert ("done", good, 0, BAD) == tuple(
            told[name] for name in ("state", "created", "updated", "rejected")
        )
        people = f"SELECT count(*) AS n, count(DISTINCT person_id) AS people {mine}"
        (row,) = await house.fetch("contacts", people)
        assert (good, good) == (row["n"], row["people"])
        changes = "SELECT count(*) AS n, count(DISTINCT import_row) AS rows FROM person_change WHERE import_id IS NOT NULL"
        (row,) = await house.fetch("contacts", changes)
        assert (good, good) == (row["n"], row["rows"])
        assert BAD == await count(house, "contacts", "SELECT count(*) AS n FROM import_reject")
