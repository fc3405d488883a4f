"""What looking for duplicates costs: on every write, and in the background over the whole register.

On write: who owns the addresses of a draft, and who shares its phone; at most 1 ms at the median. Background: people a
second (each tenth is the one before once more; a third have one of 72 names), the most memory that the process has had,
and by how much that grew from the first tenth to the end (at most 64 MiB).

    python benchmarks/duplicates.py [PEOPLE] [SECONDS]

With seconds, the search ends after so many, however many people are left: that is said.
"""

import asyncio
import resource
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from math import inf
from pathlib import Path
from time import perf_counter, process_time

import asyncpg
import uvloop
from pydantic import SecretStr
from sqlalchemy import literal, select

from contacts_svc.main import SPEC
from contacts_svc.people.holders import find_holders
from contacts_svc.quality import finder
from contacts_svc.settings import ContactsSettings
from kantis_kit.brokers.embedded import EmbeddedBroker
from kantis_kit.db.embedded import EmbeddedPostgres
from kantis_kit.db.migrate import migrate
from kantis_kit.db.provision import provision
from kantis_kit.service import Service
from kantis_kit.signing import make_keys
from kantis_kit.tx import write

PEOPLE = 1_000_000
CHECKS = 500
GROWTH_MIB = 64

FILL = """
INSERT INTO person (id, version, full_name, given_name, family_name, language, country, time_zone, lifecycle, source,
    street, postal_code, city, address_country, preferred_name, note, is_erased, created_at, updated_at)
SELECT CAST(lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0') AS uuid), 1,
    (ARRAY['Kari', 'Ola', 'Anne', 'Per', 'Liv', 'Jan', 'Eva', 'Nils'])[m % 8 + 1] || ' ' ||
    (ARRAY['Hansen', 'Berg', 'Lund', 'Moen', 'Dahl', 'Vik', 'Strand', 'Lie', 'Haugen'])[m / 8 % 9 + 1] ||
    CASE WHEN m % 3 = 0 THEN '' ELSE chr(97 + m / 72 % 26) || chr(97 + m / 1872 % 26) END, '', '',
    'nb', 'NO', 'Europe/Oslo', 'prospect', 'bench', 'Street ' || m % 400, lpad(CAST(m % 997 AS text), 4, '0'), 'City',
    'NO', '', '', false, now(), now()
FROM (SELECT n, CASE WHEN n % 10 = 0 THEN n - 1 ELSE n END AS m FROM generate_series(1, $1) n) everybody
"""
ADDRESSES = """
INSERT INTO identifier (id, kind, value, person_id, as_given, label, is_primary, is_identifying, source, validity,
    reachability, reach_reason, created_at)
SELECT gen_random_uuid(), kind, CASE kind WHEN 'email' THEN 'person' || n || '@example.com'
    ELSE '+47' || 40000000 + n END, id, '', '', true, true, '', 'valid', 'unknown', '', now()
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM person) p, unnest(ARRAY['email', 'phone']) kind
"""


def line(name: str, figure: str, goal: str, *, is_met: bool) -> None:
    """Print one figure."""
    sys.stdout.write(f"{name:28} {figure:52} goal {goal:14} {'ok' if is_met else 'MISSED'}\n")
    sys.stdout.flush()


def memory_mib() -> float:
    """Return the most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def check(service: Service) -> None:
    """Measure what a write pays: whether anybody has the addresses of a newcomer, and who has those of somebody known.

    Beside them stands a round trip that asks nothing, which is the least that a question can cost here and now; processor
    time is that of this process, which others on the machine disturb less.
    """
    taken: dict[str, list[float]] = {"newcomer": [], "somebody known": []}
    worked: dict[str, list[float]] = {"newcomer": [], "somebody known": []}
    bare: list[float] = []
    async with write(service.scope) as tx:
        await tx.execute(select(literal(1)))
        for number in range(CHECKS):
            known = [
                ("email", f"person{number * 7}@example.com"),
                ("phone", f"+47{40_000_000 + number * 7}"),
            ]
            new = [("email", f"new{number}@example.com"), ("phone", f"+47{90_000_000 + number}")]
            for name, keys in (("newcomer", new), ("somebody known", known)):
                begin, work = perf_counter(), process_time()
                await find_holders(tx, keys)
                taken[name].append(perf_counter() - begin)
                worked[name].append(process_time() - work)
            begin = perf_counter()
            await tx.fetch("SELECT 1")
            bare.append(perf_counter() - begin)
    floor = statistics.median(bare)
    for name, times in taken.items():
        median, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        cpu = statistics.median(worked[name])
        figure = " ".join(
            f"{what} {seconds * 1e3:.2f}"
            for what, seconds in (("p50", median), ("p95", late), ("floor", floor), ("cpu", cpu))
        )
        line(f"check, {name}", f"{figure} ms", "p50 <= 1 ms", is_met=median <= 0.001)


async def search(service: Service, people: int, most_seconds: float) -> None:
    """Compare everybody once, or as many as there is time for."""
    before = memory_mib()
    begin, work, compared, early = perf_counter(), process_time(), 0, 0.0
    while perf_counter() - begin < most_seconds:
        async with write(service.scope) as tx:
            if not await finder.compare(tx):
                break
        compared = min(compared + finder.SLICE, people)
        if not early and compared * 10 >= people:
            early = memory_mib()
    seconds, cpu = perf_counter() - begin, process_time() - work
    most = memory_mib()
    grown = most - (early or before)
    line(
        "background search",
        f"{compared / seconds:,.0f} people/s, cpu {cpu / compared * 1e6:.0f} us each, +{grown:.0f} MiB",
        f"<= {GROWTH_MIB} MiB",
        is_met=grown <= GROWTH_MIB,
    )
    sys.stdout.write(
        f"{compared:,} of {people:,} compared; at most {most:.0f} MiB, {before:.0f} before\n"
    )


async def main(people: int, most_seconds: float = inf) -> None:
    """Run everything once."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
        dsns = await provision(postgres.superuser_dsn(), "contacts", passwords=postgres.secrets)
        await migrate(dsns.owner_dsn, SPEC.migrations)
        make_keys(folder / "keys", ("contacts", "gateway"))
        settings = ContactsSettings(
            environment="test",
            data_dir=folder,
            keys_dir=folder / "keys",
            postgres_dsn=SecretStr(dsns.app_dsn),
            postgres_owner_dsn=SecretStr(dsns.owner_dsn),
        )
        service = Service(SPEC, settings, broker=EmbeddedBroker(dsns.app_dsn, name="bench"))
        stack.push_async_callback(service.database.close)
        owner = await asyncpg.connect(dsns.owner_dsn)
        stack.push_async_callback(owner.close)
        await owner.execute(FILL, people)
        for statement in (
            ADDRESSES,
            "INSERT INTO duplicate_due SELECT id FROM person",
            "VACUUM ANALYZE",
        ):
            await owner.execute(statement)
        await check(service)
        await search(service, people, most_seconds)
        pairs = await owner.fetchval("SELECT count(*) FROM duplicate_pair")
        sys.stdout.write(f"{people:,} people, {pairs:,} pairs in the queue\n")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        given = [float(one) for one in sys.argv[1:3]]
        runner.run(main(int(given[0]) if given else PEOPLE, *given[1:]))
