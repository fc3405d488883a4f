"""Facts taken in with their roll-ups, beside raw COPY of the same rows; a rebuild; a report as facts grow tenfold.

Both are durable, a thousand rows a transaction, in one embedded PostgreSQL. COPY writes ready rows into a table with the
columns, the key and the indexes of facts. Intake takes events as they come from the queue (what a handler does, without the
broker): pieces released, how they ended, clicks, orders, payments; it merges them with what is known, and moves the sums per
campaign and per person. Rounds alternate.

    python benchmarks/facts.py [ROUNDS] [FACTS_OF_THE_REPORT]
"""

import gc
import random
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvloop
from _house import idle_service

from analytics_svc.campaigns.queries import get_report
from analytics_svc.facts import intake
from analytics_svc.facts.model import Fact
from analytics_svc.facts.usecases import rebuild, record
from analytics_svc.main import SPEC
from kantis_contracts.campaign import Piece, PieceReleasedV1
from kantis_contracts.messaging import Engagement, Settled, SettledState
from kantis_contracts.values import Channel, Purpose
from kantis_kit.db.partitions import keep_months
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.tx import read, write

LEAST_SHARE, LEAST_REBUILT, MOST_REPORT_MS, MOST_GROWTH = 0.4, 100_000, 50.0, 1.2
BATCH, BATCHES, REPORTS = 1_000, 20, 60
Tell = Callable[[Any], Sequence[Fact]]
COLUMNS = ("kind", "key", "campaign_id", "cell_id", "person_id", "merged_id", "currency", "label", "channel", "marks")  # fmt: skip


def events_of(campaign: UUID, people: Sequence[UUID], now: datetime) -> list[tuple[Any, Tell]]:
    """Return what happens to a thousand pieces, as events and what reads each: made before the clock runs."""
    chance = random.Random(len(people))
    cells = [new_id(), new_id()]
    pieces = [
        Piece(piece_id=new_id(), person_id=person, response_code="ABCDE") for person in people
    ]
    released = PieceReleasedV1(
        campaign_id=campaign, campaign_name="Vår", launch_id=new_id(), cell_id=cells[0], key_code="A",
        segment_id=new_id(), channel=Channel.EMAIL, purpose=Purpose.OFFERS, template_id=new_id(),
        cost_per_piece_minor=50, items=tuple(pieces),
    )  # fmt: skip
    settled = tuple(
        Settled(
            message_id=new_id(), piece_id=piece.piece_id, campaign_id=campaign, cell_id=cells[0], person_id=piece.person_id,
            channel=Channel.EMAIL, state=SettledState.ACCEPTED, settled_at=now,
        )
        for piece in pieces
    )  # fmt: skip
    clicks = tuple(
        Engagement(
            engagement_id=new_id(), message_id=new_id(), person_id=person, campaign_id=campaign, cell_id=cells[0],
            channel=Channel.EMAIL, verdict="human", seen_at=now + timedelta(minutes=chance.randint(1, 5_000)),
        )
        for person in chance.sample(list(people), 500)
    )  # fmt: skip
    return [
        (released, lambda event: list(intake.released(event, now))),
        (settled, lambda items: list(intake.settled(items))),
        (clicks, lambda items: list(intake.engaged(items, kind="click", person_kind="clicker"))),
    ]


async def taken_in(service: Service, events: Sequence[tuple[Any, Tell]]) -> int:
    """Record events, one transaction each; return how many accounts of facts they were."""
    count = 0
    for event, told in events:
        async with write(service.scope, actor="bench") as tx:
            facts = told(event)
            await record(tx, facts)
        count += len(facts)
    return count


async def copied(pool: "asyncpg.Pool[Any]", batches: Sequence[Sequence[tuple[Any, ...]]]) -> int:
    """Copy ready rows, one transaction a batch."""
    async with pool.acquire() as connection:
        for rows in batches:
            await connection.copy_records_to_table("fact_copy", records=rows, columns=COLUMNS)
    return sum(map(len, batches))


def rows_of(events: Sequence[tuple[Any, Tell]]) -> list[list[tuple[Any, ...]]]:
    """Return the same accounts as rows, each under a key of its own."""
    batches = []
    for event, told in events:
        stored = [fact.stored() | {"key": new_id()} for fact in told(event)]
        rows = [
            tuple(orjson.dumps(one["marks"]).decode() if name == "marks" else one[name] for name in COLUMNS)
            for one in stored
        ]  # fmt: skip
        batches.append(rows)
    return batches


async def rate_of(work: Awaitable[int]) -> float:
    """Return how many a second."""
    began = perf_counter()
    return await work / (perf_counter() - began)


async def intake_beside_copy(
    service: Service, pool: "asyncpg.Pool[Any]", rounds: int
) -> list[float]:
    """Return per round how many accounts are taken in per row copied."""
    shares = []
    for number in range(rounds + 1):
        now, campaign = service.clock.now(), new_id()
        events = [
            one
            for _ in range(BATCHES)
            for one in events_of(campaign, [new_id() for _ in range(BATCH)], now)
        ]
        batches = rows_of(events)
        gc.collect()
        raw = await rate_of(copied(pool, batches))
        ours = await rate_of(taken_in(service, events))
        if number:  # the first round warms up
            shares.append(ours / raw)
            print(f"  COPY {raw:9,.0f} rows/s   intake {ours:9,.0f} facts/s   {shares[-1]:.0%}")
    return shares


FILL = """
    INSERT INTO fact (kind, key, campaign_id, cell_id, person_id, currency, channel, marks)
    SELECT 'piece', uuidv7(), c.id, c.cell, md5((n % $5)::text)::uuid, 'NOK', 'email', jsonb_build_object(
        'released', jsonb_build_array(0, $2::bigint + n * 60000000, 50),
        'accepted', jsonb_build_array(0, $2::bigint + n * 60000000, 0))
    FROM generate_series(1, $1::bigint) AS n
    CROSS JOIN LATERAL (SELECT ids[(1 + n % 50)::int] AS id, cells[(1 + n % 50)::int] AS cell FROM (SELECT $3::uuid[] AS ids, $4::uuid[] AS cells) i) c
    """


async def fill(
    pool: "asyncpg.Pool[Any]", count: int, campaigns: Sequence[UUID], now: datetime
) -> None:
    """Put so many pieces there, over two months and fifty campaigns, twenty to a person."""
    start = int((now - timedelta(days=60)).timestamp() * 1_000_000)
    step = 100_000
    for _ in range(0, count, step):
        await pool.execute(
            FILL, step, start, list(campaigns), list(campaigns), count // 20, timeout=600
        )


async def reports(service: Service, campaigns: Sequence[UUID]) -> float:
    """Return the p95 of a campaign's report, in milliseconds."""
    times = []
    for number in range(REPORTS):
        began = perf_counter()
        async with read(service.scope) as tx:
            await get_report(tx, campaigns[number % len(campaigns)])
        times.append((perf_counter() - began) * 1_000)
    return statistics.quantiles(times[10:], n=20)[-1]


async def growing(
    service: Service, pool: "asyncpg.Pool[Any]", most: int
) -> tuple[float, float, float]:
    """Return the rate of the last rebuild, and the report's p95 at a tenth of the facts and at all of them."""
    now, campaigns = service.clock.now(), [new_id() for _ in range(50)]
    await pool.execute("TRUNCATE fact, tally, person_sum")
    for one in campaigns:
        await pool.execute(
            "INSERT INTO campaign_card (campaign_id, name, channel, currency) VALUES ($1, 'Vår', 'email', 'NOK')",
            one,
        )
    rates, p95 = [], []
    for part in (most // 10, most - most // 10):
        await fill(pool, part, campaigns, now)
        await pool.execute("VACUUM ANALYZE fact")
        count = await pool.fetchval("SELECT count(*) FROM fact")
        began = perf_counter()
        async with write(service.scope, actor="bench") as tx:
            await rebuild(tx)
        rates.append(count / (perf_counter() - began))
        await pool.execute("VACUUM ANALYZE tally")
        p95.append(await reports(service, campaigns))
        print(f"  {count:10,} facts: rebuilt at {rates[-1]:9,.0f}/s, a report p95 {p95[-1]:.1f} ms")
    return rates[-1], p95[0], p95[1]


async def main(rounds: int, most: int) -> int:
    """Run the benchmark."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        house = await idle_service(stack, folder, SPEC, pool=2)
        service, pool = house.service, house.pool
        async with pool.acquire() as connection:
            for one in SPEC.partitions:
                await keep_months(connection, one, service.clock.now())
            await connection.execute("CREATE TABLE fact_copy (LIKE fact INCLUDING ALL)")
        gc.freeze()
        share = statistics.median(await intake_beside_copy(service, pool, rounds))
        rebuilt, small, large = await growing(service, pool, most)
    growth = large / small
    print(
        f"intake with roll-ups: {share:.0%} of COPY of the same rows (at least {LEAST_SHARE:.0%})"
    )
    print(f"rebuild: {rebuilt:,.0f} facts/s (at least {LEAST_REBUILT:,})")
    print(f"a report: p95 {large:.1f} ms at {most:,} facts (at most {MOST_REPORT_MS:.0f}), {growth:.2f} × that at a tenth (at most {MOST_GROWTH})")  # fmt: skip
    good = share >= LEAST_SHARE and rebuilt >= LEAST_REBUILT and large <= MOST_REPORT_MS
    return 0 if good and growth <= MOST_GROWTH else 1


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(uvloop.run(main(*(given + [5, 1_000_000][len(given) :]))))
