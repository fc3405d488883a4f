"""A file of responses through the API until its last row is in, against a plain COPY of the same rows into the same table.

The file is posted to the service as the gateway posts it; the service's own loops take it in: each code is looked up, each
response gets its person, its step and its day, and an event tells of it. The limit is the rows of `response` that came of
it, written by COPY as they are into a table with the same columns, rules and indexes. Goal: at least a tenth of it.

    python benchmarks/response_files.py [ROWS] [ROUNDS]
"""

import asyncio
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import asyncpg
import httpx
import uvloop
from _collector import as_in_the_house
from _house import open_house, serving

from kantis_contracts.codes import ALPHABET, CODE_LENGTH, check_character
from kantis_kit.ids import new_id
from orders_svc.main import SPEC

LOOK_SECONDS = 0.02
GOAL = 0.1
WARM = 200
"""Rows of a file before, with which calendars are read and statements prepared."""
MAPPING = {
    "form": "csv",
    "way": "barcode",
    "kind": "inquiry",
    "fields": {"code": "KODE", "answer.children": "BARN", "note": "TEKST"},
}


def code(number: int) -> str:
    """Return a sound code of its own for each number."""
    data = ""
    for _ in range(CODE_LENGTH - 1):
        number, place = divmod(number, len(ALPHABET))
        data += ALPHABET[place]
    return data + check_character(data)


@dataclass
class Bench:
    """A database of the service's own."""

    owner: "asyncpg.Connection[asyncpg.Record]"

    async def release(self, numbers: range) -> None:
        """Make people and the pieces that they have, as events would have told of them."""
        launch_id, cell_id = new_id(), new_id()
        await self.owner.execute(
            "INSERT INTO release (launch_id, cell_id, campaign_id, campaign_name, offer_name)"
            " VALUES ($1, $2, $3, 'Bench', '')",
            launch_id,
            cell_id,
            new_id(),
        )
        persons = [new_id() for _ in numbers]
        await self.owner.copy_records_to_table(
            "person",
            columns=[
                "person_id", "version", "preferred_name", "full_name", "language", "country", "street",
                "postal_code", "city", "address_country", "phone", "is_erased",
            ],
            records=[
                (one, 1, "", "Kari Nes", "nb", "NO", "", "", "", "", "", False) for one in persons
            ],
        )  # fmt: skip
        await self.owner.copy_records_to_table(
            "code",
            columns=["response_code", "piece_id", "person_id", "launch_id", "cell_id"],
            records=[
                (code(number), new_id(), person_id, launch_id, cell_id)
                for number, person_id in zip(numbers, persons, strict=True)
            ],
        )
        await self.owner.execute("ANALYZE person, code")

    async def take(self, client: httpx.AsyncClient, numbers: range) -> float:
        """Send a file of these pieces; return rows per second."""
        lines = [f"{code(number)};{number % 4};a word or two\r\n" for number in numbers]
        content = "".join(["KODE;BARN;TEKST\r\n", *lines]).encode()
        started = perf_counter()
        answer = await client.post(
            "/v1/response-files",
            params={"mapping": "bench"},
            content=content,
            headers={"Content-Type": "text/csv"},
        )
        answer.raise_for_status()
        while True:
            found = await self.owner.fetchrow(
                "SELECT state, registered FROM response_file WHERE file_id = $1::uuid",
                answer.json()["file_id"],
            )
            if found is not None and found["state"] != "running":
                break
            await asyncio.sleep(LOOK_SECONDS)
        taken = perf_counter() - started
        if found["state"] != "done" or found["registered"] != len(numbers):
            message = f"the file is {found['state']} with {found['registered']} of {len(numbers)}"
            raise RuntimeError(message)
        return len(numbers) / taken

    async def copy(self, folder: Path, rows: int) -> float:
        """Write the responses that came last by COPY into a table like theirs; return rows per second."""
        await self.owner.execute("DROP TABLE IF EXISTS bench_response")
        await self.owner.execute("CREATE TABLE bench_response (LIKE response INCLUDING ALL)")
        path = folder / "rows.copy"
        last = f"SELECT * FROM response ORDER BY response_id DESC LIMIT {rows}"  # noqa: S608 - a number
        await self.owner.copy_from_query(last, output=path)
        started = perf_counter()
        await self.owner.copy_to_table("bench_response", source=path)
        return rows / (perf_counter() - started)


async def main(rows: int, rounds: int) -> None:
    """Send files and copy their rows in turn."""
    as_in_the_house()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        house = await open_house(stack, folder, SPEC)
        bench = Bench(house.owner)
        taken, copied = [], []
        for round_ in range(rounds):
            first = round_ * (rows + WARM)
            warm, numbers = range(first, first + WARM), range(first + WARM, first + WARM + rows)
            await bench.release(range(first, first + WARM + rows))
            async with serving(house) as client:
                answer = await client.put("/v1/response-files/mappings/bench", json=MAPPING)
                answer.raise_for_status()
                await bench.take(client, warm)
                taken.append(await bench.take(client, numbers))
            copied.append(await bench.copy(folder, rows))
        rate, limit = statistics.median(taken), statistics.median(copied)
        print(f"a file through the API     {rate:9.0f} rows/s")
        print(f"COPY into response         {limit:9.0f} rows/s")
        print(f"the file reaches           {rate / limit:9.3f} of it (goal {GOAL})")


if __name__ == "__main__":
    arguments = [int(value) for value in sys.argv[1:]]
    uvloop.run(main(*(arguments + [20_000, 3][len(arguments) :])))
