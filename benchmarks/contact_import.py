"""A CSV of new contacts through the API until the last row is in, against a plain COPY of the same rows into the same table.

The file is posted to the service as the gateway posts it; the service's own loops take it in. Measured are the rows per
second from the post to the last row, and how much the process grows over what it held when it was idle. Against three
limits in the same run, each written by COPY as it is: the rows of `person` that came of it, into a table with the same
columns, rules and indexes; all rows that came of it in the tables that hold a contact (person, addresses, history), into
tables like those, with their checks; and the ten cells of each row, into a table with nothing but a primary key. The
first is the strict reading of "the same rows into the same table", as a contact is more than its row of `person`; the
import writes events and what undoing it needs besides.

Then another file is imported with messaging-svc beside it: measured is how long after the end of the file the last
contact can be written to.

    python benchmarks/contact_import.py [ROWS] [ROUNDS] [ROWS_WITH_MESSAGING]
"""

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import asyncpg
import httpx
import uvloop
from _collector import as_in_the_house
from _house import House, open_house, serving
from pydantic import SecretStr

from contacts_svc.main import SPEC
from kantis_kit.brokers.embedded import EmbeddedBroker
from kantis_kit.consumer import subscriptions
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.testing.waiting import eventually
from messaging_svc.main import SPEC as MESSAGING
from messaging_svc.settings import MessagingSettings

LOOK_SECONDS = 0.02
HEAD = "Fornavn;Etternavn;E-post;Mobil;Adresse;Postnr;Poststed;Land;Språk;Kilde\r\n"
CONTACT = {"person": "id", "identifier": "person_id", "person_change": "person_id"}
"""The tables that hold a contact, and which column names the person."""
LIKE_PERSON = (
    "id uuid PRIMARY KEY, given_name text, family_name text, email text, phone text, street text,"
    " postal_code text, city text, country text, language text, source text"
)


def word(number: int, salt: int) -> str:
    """Return a made-up name; people whose names were alike would be a benchmark of the search for duplicates."""
    left = number * 2_654_435_761 + salt * 40_503
    letters = []
    for place in range(8):
        letters.append(
            ("aeiouyæøå" if place % 2 else "bdfghjklmnprstv")[left % (9 if place % 2 else 15)]
        )
        left //= 9
    return "".join(letters).capitalize()


def row(number: int, round_: int) -> tuple[str, ...]:
    """Return one person whom nobody knows yet."""
    unique = round_ * 10_000_000 + number
    return (
        word(unique, 1),
        word(unique, 2),
        f"k{round_}.{number}@example.com",
        f"4{1_000_000 + number:07d}" if number < 1_000_000 and not round_ else "",
        f"{word(unique, 3)} {number % 200}",
        f"{1_000 + number % 8_000}",
        word(number % 8_000, 4),
        "NO",
        "nb",
        "benchmark",
    )


def write_table(path: Path, rows: int, round_: int) -> None:
    """Write the file that is imported."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEAD)
        for number in range(rows):
            file.write(";".join(row(number, round_)) + "\r\n")


def resident_bytes() -> int:
    """Return what this process holds in memory now."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Bench:
    """A database of the service's own."""

    owner: "asyncpg.Connection[asyncpg.Record]"
    grown: int = 0

    async def forget_followers(self) -> None:
        """Forget what segments and the search for duplicates have not followed yet: they would work beside the limits."""
        await self.owner.execute("UPDATE import SET is_followed = true")
        await self.owner.execute("TRUNCATE touched_person, duplicate_due, outbox")

    async def take(self, client: httpx.AsyncClient, path: Path, rows: int) -> float:
        """Import a file; return rows per second."""
        idle = resident_bytes()

        async def parts() -> AsyncIterator[bytes]:
            with path.open("rb") as file:
                while part := await asyncio.to_thread(file.read, 1 << 18):
                    yield part

        started = perf_counter()
        answer = await client.post(
            "/v1/imports", content=parts(), headers={"Content-Type": "text/csv"}
        )
        answer.raise_for_status()
        while True:
            self.grown = max(self.grown, resident_bytes() - idle)
            found = await self.owner.fetchrow(
                "SELECT state, created FROM import WHERE id = $1::uuid", answer.json()["id"]
            )
            if found is not None and found["state"] != "running":
                break
            await asyncio.sleep(LOOK_SECONDS)
        taken = perf_counter() - started
        if found["state"] != "done" or found["created"] != rows:
            message = f"the import is {found['state']} with {found['created']} of {rows} rows"
            raise RuntimeError(message)
        return rows / taken

    async def copy_same(self, folder: Path, rows: int, tables: Sequence[str]) -> float:
        """Write what is known of the last persons by COPY, as it is, into tables like those; return persons per second."""
        last = f"SELECT id FROM person ORDER BY id DESC LIMIT {rows}"  # noqa: S608 - a number
        taken = 0.0
        for table in tables:
            await self.owner.execute(f"DROP TABLE IF EXISTS bench_{table}")
            await self.owner.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL)")
            if table == "identifier":
                await self.owner.execute(
                    "CREATE TRIGGER has_person AFTER INSERT ON bench_identifier"
                    " REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT"
                    " EXECUTE FUNCTION identifiers_have_persons()"
                )
            columns = [
                one["attname"]
                for one in await self.owner.fetch(
                    "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0"
                    " AND NOT attisdropped AND attidentity = '' ORDER BY attnum",
                    table,
                )
            ]
            path = folder / "rows.copy"
            chosen = f"SELECT {', '.join(columns)} FROM {table} WHERE {CONTACT[table]} IN ({last})"  # noqa: S608 - names
            # As the tables hold them: in the order in which they came.
            await self.owner.copy_from_query(f"{chosen} ORDER BY ctid", output=path)
            started = perf_counter()
            await self.owner.copy_to_table(f"bench_{table}", source=path, columns=columns)
            taken += perf_counter() - started
            path.unlink()
        return rows / taken

    async def copy(self, rows: int, round_: int) -> float:
        """Write the same cells by COPY into a table without indexes of its own; return rows per second."""
        await self.owner.execute("DROP TABLE IF EXISTS bench_person")
        await self.owner.execute(f"CREATE TABLE bench_person ({LIKE_PERSON})")
        records = []
        for number in range(rows):
            given, family, mail, phone, *rest = row(number, round_)
            records.append((new_id(), given, family, mail, phone, *rest))
        started = perf_counter()
        await self.owner.copy_records_to_table("bench_person", records=records)
        return rows / (perf_counter() - started)


async def measure_latency(
    stack: AsyncExitStack,
    house: House,
    bench: Bench,
    client: httpx.AsyncClient,
    path: Path,
    *,
    rows: int,
) -> float:
    """Import a file with messaging-svc beside it; return the seconds until it can write to the last contact."""
    dsns = await provision(
        house.postgres.superuser_dsn(), "messaging", passwords=house.postgres.secrets
    )
    await migrate(dsns.owner_dsn, MESSAGING.migrations)
    given = house.settings.model_dump(include={"keys_dir", "data_dir", "broker_url", "link_keys"})
    settings = MessagingSettings(**given, postgres_dsn=SecretStr(dsns.app_dsn))
    broker = EmbeddedBroker(house.broker_dsn, name="messaging")
    service = Service(MESSAGING, settings, broker=broker)
    await broker.start()
    await broker.declare(subscriptions(MESSAGING.handlers))
    await service.start(connect=False)
    stack.push_async_callback(service.stop)
    cards = await asyncpg.connect(dsns.owner_dsn)
    stack.push_async_callback(cards.close)
    await bench.take(client, path, rows)
    started = perf_counter()

    async def knows_all() -> bool:
        known: int = await cards.fetchval("SELECT count(*) FROM person_card")
        return known >= rows

    await eventually(knows_all, message="messaging does not know them", within=3_600)
    return perf_counter() - started


async def main(rows: int, rounds: int, beside: int) -> None:
    """Import files and copy their rows in turn."""
    as_in_the_house()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        house = await open_house(stack, folder, SPEC, suppression_key=SecretStr("5a" * 32))
        bench = Bench(house.owner)
        path = folder / "people.csv"
        taken, same, whole, copied = [], [], [], []
        for round_ in range(rounds):
            await asyncio.to_thread(write_table, path, rows, round_)
            async with serving(house) as client:
                taken.append(await bench.take(client, path, rows))
            await bench.forget_followers()
            same.append(await bench.copy_same(folder, rows, ["person"]))
            whole.append(await bench.copy_same(folder, rows, list(CONTACT)))
            copied.append(await bench.copy(rows, round_))
        rate = statistics.median(taken)
        print(f"import through the API      {rate:9.0f} rows/s")
        for name, limit in (
            ("person", same),
            ("a contact's tables", whole),
            ("a bare table", copied),
        ):
            median = statistics.median(limit)
            print(
                f"COPY into {name:18}{median:9.0f} rows/s   the import reaches {rate / median:5.3f}"
            )
        print(f"memory over idle            {bench.grown / 1024**2:9.0f} MiB")
        if beside:
            await asyncio.to_thread(write_table, path, beside, rounds)
            async with serving(house) as client:
                late = await measure_latency(stack, house, bench, client, path, rows=beside)
            print(f"messaging knows the last    {late:9.1f} s after the end of {beside} rows")


if __name__ == "__main__":
    arguments = [int(value) for value in sys.argv[1:]]
    uvloop.run(main(*(arguments + [500_000, 1, 100_000][len(arguments) :])))
