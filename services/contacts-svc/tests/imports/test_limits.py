"""Files that are large or bad: what is wrong comes back, what is right is taken, and the memory stays small."""

import tracemalloc

import pytest

from contacts_svc.imports import api
from contacts_svc.imports.reading import open_sheet
from contacts_svc.main import SPEC
from kantis_kit.csv_rows import read_records

MEGABYTE = 1 << 20


def test_a_gibibyte_may_be_sent():
    assert 1024 * MEGABYTE == api.MAX_FILE_BYTES


async def test_a_cell_of_forty_megabytes_is_given_back_and_the_rows_around_it_are_taken(
    rig_for, door
):
    rig = await rig_for(SPEC)
    rows = (
        door.kari
        + f"Stor;{'x' * (40 * MEGABYTE)};stor@example.com;;;\r\n"
        + f'Sitert;"{"y" * (2 * MEGABYTE)}";sitert@example.com;;;\r\n'
        + "Siste;Mann;siste@example.com;;9000;Tromsø\r\n"
    )

    done = await door.take(rig, door.head + rows)
    given_back = await door.rejects(rig, done)

    assert (2, 2) == (done["created"], done["rejected"])
    assert len(given_back) < 10_000
    assert 2 == given_back.count("longer than 65536 bytes")


async def test_ten_thousand_bad_rows_come_back_each_with_its_reason(rig_for, door):
    rig = await rig_for(SPEC)
    bad = "".join(f"Rad{n};=HYPERLINK(1);rad{n}@example.com;;;\r\n" for n in range(10_000))

    done = await door.take(rig, door.head + bad + door.kari)
    given_back = (await door.rejects(rig, done)).splitlines()

    assert (1, 10_000, "done") == (done["created"], done["rejected"], done["state"])
    assert 10_001 == len(given_back)
    assert given_back[10_000].startswith("10001;family_name: looks like a formula")
    assert all("'=HYPERLINK" in line for line in given_back[1:])


async def test_names_of_emoji_are_names(rig_for, door):
    rig = await rig_for(SPEC)
    name = "Åse 👩‍👩‍👧‍👦 \U0001f1f3\U0001f1f4"

    done = await door.take(rig, f"navn;e-post\r\n{name};ase@example.com\r\n")

    assert (1, 0) == (done["created"], done["rejected"])
    assert name == (await door.contacts(rig))["ase@example.com"]["full_name"]


@pytest.mark.parametrize("end", ["\r", "\n"])
def test_a_file_of_any_line_ends_is_read_in_bounded_memory(tmp_path, end):
    path = tmp_path / "people.csv"
    line = f"Kari;kari@example.com;{'x' * 200}{end}".encode()
    with path.open("wb") as file:
        file.write(f"navn;e-post;note{end}".encode())
        for _ in range(24 * MEGABYTE // len(line)):
            file.write(line)

    tracemalloc.start()
    sheet = open_sheet(path)
    rows = read_records(path, sheet.encoding, sheet.delimiter, offset=sheet.data_offset, number=1)
    count = sum(1 for _ in rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 24 * MEGABYTE // len(line) == count
    assert peak < 8 * MEGABYTE


async def test_no_transaction_stands_open_while_a_slow_caller_sends(rig_for, door):
    rig = await rig_for(SPEC)
    pool = await rig.service.database.pool()
    seen = []

    async def slowly():
        yield door.head.encode()
        seen.append(
            await pool.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%' AND query LIKE '%import_mapping%'"
            )
        )
        yield door.kari.encode()

    mapping = {"name": "Messe", "mapping": {"E-post": "email"}}
    async with rig.client() as client:
        saved = await client.post("/v1/imports/mappings", json=mapping)
        assert 201 == saved.status_code, saved.text
        taken = await client.post(
            "/v1/imports",
            content=slowly(),
            params={"saved_mapping": "Messe"},
            headers={"Content-Type": "text/csv"},
        )
        unknown = await client.post(
            "/v1/imports",
            content=(door.head + door.kari).encode(),
            params={"saved_mapping": "Ukjent"},
            headers={"Content-Type": "text/csv"},
        )

    assert (202, [0]) == (taken.status_code, seen), taken.text
    assert 404 == unknown.status_code
