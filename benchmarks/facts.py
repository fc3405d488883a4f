"""Facts taken in with their roll-ups, beside raw COPY of the same rows; a rebuild; every report as facts grow tenfold.

Both are durable, a thousand rows a transaction, in one embedded PostgreSQL. COPY writes ready rows into a table with the
columns, the key and the indexes of facts. Intake takes events as they come from the queue (what a handler does, without the
broker): pieces released, how they ended, clicks, orders, payments; it merges them with what is known, and moves the sums per
campaign and per person. Rounds alternate. Reports are those of a campaign, of a customer and of the house, each read by itself
in turns; a hundredth of the facts are orders, answers, leads, permissions, scores and post, of which the house's are made. The
slowest one counts. Questions about raw facts grow with the facts and are not here: benchmarks/questions.py.

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
from hashlib import md5
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvloop
from _house import idle_service

from analytics_svc.campaigns.queries import get_report, list_leads, list_reports
from analytics_svc.company import queries as company
from analytics_svc.customers.queries import get_customer
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
from kantis_kit.tx import ReadTx, read, write

LEAST_SHARE, LEAST_REBUILT, MOST_REPORT_MS, MOST_GROWTH = 0.4, 100_000, 50.0, 1.2
BATCH, BATCHES, REPORTS = 1_000, 20, 60
SURVEY = UUID(int=5)
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
            await connection.copy_records_to_table("raw_fact", records=rows, columns=COLUMNS)
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


MIX = """
    INSERT INTO fact (kind, key, campaign_id, cell_id, person_id, currency, channel, label, marks)
    SELECT k.kind, uuidv7(), $3, $3, md5((n % $4)::text)::uuid, CASE WHEN k.kind IN ('order', 'piece') THEN 'NOK' ELSE '' END,
        'email', k.label, k.marks
    FROM generate_series(1, $1::bigint) AS n
    CROSS JOIN LATERAL (SELECT $2::bigint + n % 86400 * 60000000 AS at) AS a
    CROSS JOIN LATERAL (SELECT * FROM (VALUES
        (0, 'order', '', jsonb_build_object('placed', jsonb_build_array(0, at, n % 900), 'paid', jsonb_build_array(0, at, n % 900))),
        (1, 'response', 'order/web', jsonb_build_object('seen', jsonb_build_array(0, at, 0))),
        (2, 'lead', 'form ' || n % 20, jsonb_build_object('seen', jsonb_build_array(0, at, 0))),
        (3, 'permission', 'offers', jsonb_build_object('v1', jsonb_build_array(1, at, 1))),
        (4, 'survey', $5::text, jsonb_build_object('q1', jsonb_build_array(0, at, n % 11))),
        (5, 'post', 'letter/moved', jsonb_build_object('came', jsonb_build_array(0, at, 0))),
        (6, 'piece', '', jsonb_build_object('released', jsonb_build_array(0, at, 50), 'came_back', jsonb_build_array(0, at, 0)))
    ) AS v (nth, kind, label, marks) WHERE v.nth = n % 7) AS k
    """


async def fill(
    pool: "asyncpg.Pool[Any]", count: int, campaigns: Sequence[UUID], now: datetime
) -> None:
    """Put so many facts there, over two months and fifty campaigns, twenty to a person."""
    start = int((now - timedelta(days=60)).timestamp() * 1_000_000)
    step, mix = 100_000, 1_000
    for _ in range(0, count, step):
        await pool.execute(
            FILL, step - mix, start, list(campaigns), list(campaigns), count // 20, timeout=600
        )
        await pool.execute(MIX, mix, start, campaigns[0], count // 20, str(SURVEY), timeout=600)


def reports_of(
    now: datetime, campaigns: Sequence[UUID]
) -> dict[str, Callable[[ReadTx, int], Awaitable[Any]]]:
    """Return how each report is read, the n-th time, by its name."""
    since, until = now.date() - timedelta(days=365), now.date()
    whole = (company.list_growth, company.list_lead_months, company.list_satisfaction, company.list_service_levels,
             company.list_returned_post, company.list_lost_post)  # fmt: skip
    found: dict[str, Callable[[ReadTx, int], Awaitable[Any]]] = {
        "a campaign": lambda tx, n: get_report(tx, campaigns[n % len(campaigns)]),
        "campaigns": lambda tx, _n: list_reports(tx, None, 50),
        "leads": lambda tx, _n: list_leads(tx, since, until),
        "a customer": lambda tx, n: get_customer(tx, UUID(md5(b"%d" % n, usedforsecurity=False).hexdigest())),
        "cohorts": lambda tx, _n: company.list_cohorts(tx, since, until, None),
        "repeat purchases": lambda tx, _n: company.list_repeat_purchases(tx, since, until, None),
    }  # fmt: skip
    for one in whole:
        found[one.__name__] = lambda tx, _n, one=one: one(tx, since, until)  # type: ignore[misc]
    return found


async def reports(service: Service, campaigns: Sequence[UUID]) -> dict[str, float]:
    """Return the p95 of every report, in milliseconds."""
    asked = reports_of(service.clock.now(), campaigns)
    times: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(REPORTS):
        for name, ask in asked.items():
            began = perf_counter()
            async with read(service.scope) as tx:
                answer = await ask(tx, number)
            times[name].append((perf_counter() - began) * 1_000)
            if not answer:
                message = f"{name} says nothing: there are no facts for it"
                raise RuntimeError(message)
    return {name: statistics.quantiles(taken[10:], n=20)[-1] for name, taken in times.items()}


async def growing(
    service: Service, pool: "asyncpg.Pool[Any]", most: int
) -> tuple[float, dict[str, float], dict[str, float]]:
    """Return the rate of the last rebuild, and each report's p95 at a tenth of the facts and at all of them."""
    now, campaigns = service.clock.now(), [new_id() for _ in range(50)]
    await pool.execute(
        "TRUNCATE fact, tally, person_sum, house_tally, buyer_day, buyer, buyer_month, cohort_sum, repeat_sum"
    )
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
        await pool.execute("VACUUM ANALYZE")
        p95.append(await reports(service, campaigns))
        print(
            f"  {count:10,} facts: rebuilt at {rates[-1]:9,.0f}/s; the slowest report p95 {max(p95[-1].values()):.1f} ms"
        )
    return rates[-1], p95[0], p95[1]


async def main(rounds: int, most: int) -> int:
    """Run the benchmark."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        house = await idle_service(stack, folder, SPEC, pool=2, statement_timeout_ms=600_000)
        service, pool = house.service, house.pool
        async with pool.acquire() as connection:
            for one in SPEC.partitions:
                await keep_months(connection, one, service.clock.now())
            await connection.execute("CREATE TABLE raw_fact (LIKE fact INCLUDING ALL)")
        gc.freeze()
        share = statistics.median(await intake_beside_copy(service, pool, rounds))
        rebuilt, small, large = await growing(service, pool, most)
    growth = {name: large[name] / small[name] for name in large}
    for name, taken in large.items():
        print(f"  {name:22} p95 {taken:6.1f} ms, {growth[name]:5.2f} × that at a tenth")
    slowest, worst = (
        max(large, key=lambda name: large[name]),
        max(growth, key=lambda name: growth[name]),
    )
    print(
        f"intake with roll-ups: {share:.0%} of COPY of the same rows (at least {LEAST_SHARE:.0%})"
    )
    print(f"rebuild: {rebuilt:,.0f} facts/s (at least {LEAST_REBUILT:,})")
    print(
        f"reports at {most:,} facts: the slowest ({slowest}) p95 {large[slowest]:.1f} ms (at most {MOST_REPORT_MS:.0f});"
        f" the one that grew most ({worst}) {growth[worst]:.2f} × that at a tenth (at most {MOST_GROWTH})"
    )
    good = share >= LEAST_SHARE and rebuilt >= LEAST_REBUILT and large[slowest] <= MOST_REPORT_MS
    return 0 if good and growth[worst] <= MOST_GROWTH else 1


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(uvloop.run(main(*(given + [5, 1_000_000][len(given) :]))))
