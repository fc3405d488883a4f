"""Questions about raw facts: PostgreSQL, where the facts are, beside ClickHouse, which has a copy of them.

ClickHouse is the engine inside this process (make engine), its folder on the same disk; PostgreSQL is the embedded one, its
tables freshly analysed. Rounds alternate, the first warms up, and every answer of the one is compared with that of the other.
It is said, too, how fast a copy is filled. There is no limit to keep: both figures are stated.

    python benchmarks/questions.py [FACTS] [ROUNDS]
"""

import logging
import resource
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from _house import idle_service

from analytics_svc.main import SPEC
from analytics_svc.questions.postgres import PostgresFacts
from analytics_svc.questions.schemas import AnswerLine, Dimension, Question
from analytics_svc.questions.store import CopyStore, FactStore
from analytics_svc.questions.usecases import agree, copy_some
from kantis_kit.db.partitions import keep_months
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.tx import read, write

CAMPAIGNS, STEP = 50, 100_000
FILL = """
    INSERT INTO fact (kind, key, campaign_id, cell_id, person_id, currency, channel, marks)
    SELECT k.kind, uuidv7(), c.id, c.id, md5((n % $4)::text)::uuid, 'NOK', 'email', CASE k.kind
        WHEN 'piece' THEN jsonb_build_object(
            'released', jsonb_build_array(0, k.at, 50), 'accepted', jsonb_build_array(0, k.at, 0))
        WHEN 'order' THEN jsonb_build_object(
            'placed', jsonb_build_array(0, k.at, n % 900 + 100), 'paid', jsonb_build_array(0, k.at, n % 900 + 100))
        ELSE jsonb_build_object('seen', jsonb_build_array(0, k.at, 0)) END
    FROM generate_series($1::bigint, $1::bigint + $5::bigint - 1) AS n
    CROSS JOIN LATERAL (SELECT ($3::uuid[])[(1 + n % 50)::int] AS id) AS c
    CROSS JOIN LATERAL (SELECT $2::bigint + n % 86400 * 60000000 AS at,
        CASE WHEN n % 40 = 0 THEN 'order' WHEN n % 4 = 0 THEN 'click' ELSE 'piece' END AS kind) AS k
    """
"""Three pieces of four facts, a click the fourth, and an order each tenth of these; over 60 days and 50 campaigns."""


async def fill(pool: "asyncpg.Pool[Any]", count: int, start: int, campaigns: list[UUID]) -> None:
    """Put so many facts there, about twenty of each person."""
    for done in range(0, count, STEP):
        step = min(STEP, count - done)
        await pool.execute(FILL, done, start, campaigns, max(1, count // 20), step, timeout=600)
    await pool.execute("VACUUM ANALYZE fact", timeout=600)


async def copied(service: Service, store: CopyStore) -> int:
    """Let the copy have everything; return how many facts."""
    async with write(service.scope, actor="bench") as tx:
        await agree(tx, store)
    given = 0
    while True:
        async with write(service.scope, actor="bench") as tx:
            some = await copy_some(tx, store)
        if not some:
            return given
        given += some


def questions_of(service: Service, campaign: UUID) -> dict[str, Question]:
    """Return what is asked, by what it is called."""
    today = service.clock.now().date()
    span: dict[str, Any] = {"since": today - timedelta(days=61), "until": today}
    return {
        "sent and cost by campaign": Question(measures=["sent", "cost_minor"], by=[Dimension.CAMPAIGN], **span),
        "the way to the order by month": Question(measures=["sent", "clicked", "ordered", "paid_minor"], by=[Dimension.MONTH, Dimension.CHANNEL], **span),
        "one campaign by day": Question(measures=["sent", "clicked"], by=[Dimension.DAY], campaign_id=campaign, **span),
        "orders by day": Question(measures=["ordered", "revenue_minor"], by=[Dimension.DAY], **span),
    }  # fmt: skip


async def timed(
    service: Service, store: FactStore, question: Question
) -> tuple[float, Sequence[AnswerLine]]:
    """Return how many milliseconds an answer took, and the answer."""
    began = perf_counter()
    async with read(service.scope) as tx:
        lines = await store.ask(tx, question)
    return (perf_counter() - began) * 1_000, lines


async def main(count: int, rounds: int) -> int:
    """Run the benchmark."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        house = await idle_service(
            stack, folder, SPEC, pool=2, fact_store="clickhouse", clickhouse_dsn=f"chdb://{folder}/clickhouse",
            statement_timeout_ms=600_000,
        )  # fmt: skip
        service = house.service
        async with house.pool.acquire() as connection:
            for partitions in SPEC.partitions:
                await keep_months(connection, partitions, service.clock.now())
        campaigns = [new_id() for _ in range(CAMPAIGNS)]
        start = int((service.clock.now() - timedelta(days=60)).timestamp() * 1_000_000)
        await fill(house.pool, count, start, campaigns)
        store, here = service.scope.extras[FactStore], PostgresFacts()
        began = perf_counter()
        given = await copied(service, store)
        print(f"  {given:,} facts copied at {given / (perf_counter() - began):,.0f}/s")
        differences = 0
        for name, question in questions_of(service, campaigns[0]).items():
            times: dict[str, list[float]] = {here.name: [], store.name: []}
            for _ in range(rounds + 1):
                one, right = await timed(service, here, question)
                other, found = await timed(service, store, question)
                times[here.name].append(one)
                times[store.name].append(other)
                differences += right != found or not right
            ours, theirs = (statistics.median(each[1:]) for each in times.values())
            print(
                f"  {name:30} PostgreSQL {ours:9,.1f} ms   ClickHouse {theirs:9,.1f} ms   {ours / theirs:6.1f} ×"
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(f"questions about {count:,} facts: {differences} answers differ (none may); this process, with ClickHouse, {peak:,.0f} MB")  # fmt: skip
    return 1 if differences else 0


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    numbers = [int(one) for one in sys.argv[1:]]
    sys.exit(uvloop.run(main(*(numbers + [200_000, 5][len(numbers) :]))))
