"""A camt.054 through the API until its last entry is booked, against a plain COPY of the payments that came of it.

Each entry pays an invoice of its own by reference: the payment is stored, the invoice settled, two postings booked, the
order marked as paid, and two events told. No invoice is overdue, so that the clock which reminds does not work beside
it. COPY writes no more than the rows of `payment`, with the same columns, rules and indexes. Measured are entries per
second from the post to the last booking, and how much the process grows over what it held when it was idle (limit:
200 MiB for 100,000 entries).

    python benchmarks/payments.py [ENTRIES] [ROUNDS]
"""

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import asyncpg
import httpx
import uvloop
from _collector import as_in_the_house
from _house import open_house, serving

from kantis_kit.ids import new_id
from orders_svc.billing.references import kid
from orders_svc.main import SPEC

LOOK_SECONDS = 0.05
LIMIT_MIB = 200
MINOR = 24_900
ACCOUNT = "NO9315034012345"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>{}</MsgId>'
    "</GrpHdr><Ntfctn><Id>1</Id><Acct><Id><IBAN>{}</IBAN></Id></Acct>"
)
ENTRY = (
    '<Ntry><Amt Ccy="NOK">249.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-09</Dt></BookgDt>'
    "<AcctSvcrRef>{ref}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><AmtDtls><TxAmt>"
    '<Amt Ccy="NOK">249.00</Amt></TxAmt></AmtDtls><RltdPties><Dbtr><Nm>Kari Nordmann {ref}</Nm></Dbtr></RltdPties><RmtInf>'
    "<Strd><CdtrRefInf><Ref>{kid}</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>"
)
TAIL = "</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
ORDERS = """
    INSERT INTO sales_order (order_id, version, number, person_id, state, is_paid, total_minor, currency, placed_at,
        shipped_at, tracking)
    SELECT id, 3, 'B' || nr, id, 'shipped', false, $3, 'NOK', now(), now(), ''
    FROM unnest($1::uuid[], $2::text[]) AS new (id, nr)
"""
INVOICES = """
    INSERT INTO invoice (invoice_id, order_id, person_id, company, year, series_number, number, reference, language,
        recipient, net_minor, vat_minor, total_minor, paid_minor, currency, issued_at, due_on)
    SELECT id, id, id, 'bench', 2026, nr::int, 'B' || nr, kid, 'nb', 'Kari Nordmann', $4 - $4 / 5, $4 / 5, $4, 0,
        'NOK', now(), current_date + 30
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS new (id, nr, kid)
"""


def resident_bytes() -> int:
    """Return what this process holds in memory now."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Bench:
    """A database of the service's own, and a client of the service."""

    owner: "asyncpg.Connection[asyncpg.Record]"
    client: httpx.AsyncClient
    grown: int = 0
    answered: float = 0.0
    read: float = 0.0

    async def owe(self, entries: int, round_: int) -> list[str]:
        """Write invoices that nobody has paid; return their references."""
        numbers = [round_ * 10_000_000 + one for one in range(1, entries + 1)]
        kids = [kid(f"{one:09d}", "mod10") or "" for one in numbers]
        for start in range(0, entries, 10_000):
            part = slice(start, start + 10_000)
            ids = [new_id() for _ in numbers[part]]
            names = [str(one) for one in numbers[part]]
            await self.owner.execute(ORDERS, ids, names, MINOR)
            await self.owner.execute(INVOICES, ids, names, kids[part], MINOR)
        await self.owner.execute("ANALYZE")
        return kids

    async def take(self, path: Path, entries: int) -> float:
        """Post a file; return entries per second until the last one is booked."""
        idle = resident_bytes()

        async def parts() -> AsyncIterator[bytes]:
            with path.open("rb") as file:
                while part := await asyncio.to_thread(file.read, 1 << 18):
                    yield part

        started = perf_counter()
        posting = asyncio.ensure_future(
            self.client.post(
                "/v1/payments/files", content=parts(), headers={"Content-Type": "application/xml"}
            )
        )
        found = None
        while found is None or found["state"] not in ("done", "refused"):
            self.grown = max(self.grown, resident_bytes() - idle)
            await asyncio.sleep(LOOK_SECONDS)
            if posting.done():
                posting.result().raise_for_status()
                self.answered = self.answered or perf_counter() - started
                found = await self.owner.fetchrow(
                    "SELECT state, booked, problem FROM payment_file WHERE file_id = $1::uuid",
                    posting.result().json()["file_id"],
                )
                if found["state"] != "reading":
                    self.read = self.read or perf_counter() - started
        taken = perf_counter() - started
        if found["booked"] != entries:
            message = f"{found['booked']} of {entries} entries are booked: {found['state']} {found['problem']}"
            raise RuntimeError(message)
        return entries / taken

    async def copy(self, folder: Path, entries: int) -> float:
        """Write the payments that came of it by COPY, as they are, into a table like theirs; return rows per second."""
        await self.owner.execute("DROP TABLE IF EXISTS bench_payment")
        await self.owner.execute("CREATE TABLE bench_payment (LIKE payment INCLUDING ALL)")
        path = folder / "rows.copy"
        newest = f"SELECT * FROM payment ORDER BY payment_id DESC LIMIT {entries}"  # noqa: S608 - a number
        await self.owner.copy_from_query(newest, output=path)
        started = perf_counter()
        await self.owner.copy_to_table("bench_payment", source=path)
        return entries / (perf_counter() - started)


def write_file(path: Path, kids: list[str], round_: int) -> None:
    """Write what the bank would send."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD.format(f"M{round_}", ACCOUNT))
        for number, reference in enumerate(kids):
            file.write(ENTRY.format(ref=f"R{round_}-{number}", kid=reference))
        file.write(TAIL)


async def main(entries: int, rounds: int) -> None:
    """Take files and copy their rows in turn."""
    as_in_the_house()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        house = await open_house(stack, folder, SPEC)
        bench = Bench(house.owner, await stack.enter_async_context(serving(house)))
        path = folder / "camt.xml"
        taken, copied = [], []
        for round_ in range(1, rounds + 1):
            kids = await bench.owe(entries, round_)
            await asyncio.to_thread(write_file, path, kids, round_)
            del kids
            taken.append(await bench.take(path, entries))
            copied.append(await bench.copy(folder, entries))
        rate, limit = statistics.median(taken), statistics.median(copied)
        print(f"camt.054 of {entries} entries, {path.stat().st_size / 1024**2:.0f} MiB")
        print(f"booked through the API      {rate:9.0f} entries/s")
        print(
            f"answered, then read whole   {bench.answered:9.1f} s {bench.read:9.1f} s   limit 30 s for the answer"
        )
        print(
            f"COPY of the payments        {limit:9.0f} rows/s   the file reaches {rate / limit:5.3f}"
        )
        print(f"memory over idle            {bench.grown / 1024**2:9.0f} MiB   limit {LIMIT_MIB}")


if __name__ == "__main__":
    arguments = [int(value) for value in sys.argv[1:]]
    uvloop.run(main(*(arguments + [100_000, 1][len(arguments) :])))
