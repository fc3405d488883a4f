"""A pick list for 10,000 orders beside the bare writes of its rows, and labels beside one constant label, in one run.

Wave: 10,000 placed orders of three lines each are gathered, sorted by place and numbered by the use case; bare: the same
rows, ready beforehand, come by COPY and one UPDATE in a transaction. Rounds alternate. The list is then read page by page
through the API; memory is the most that the process held over what it held before.
Labels: each has a number, an address and bars of its own; the constant page is one label, over and over. In turns, by
processor time.

    python benchmarks/fulfilment.py [ORDERS] [ROUNDS]
"""

import gc
import resource
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import uvloop
from _house import idle_service

from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.tx import write
from orders_svc.labels.codes import sscc
from orders_svc.labels.typeset import Label, render
from orders_svc.main import SPEC
from orders_svc.waves.usecases import make_wave

LINES, PRODUCTS, PAGE, LABELS = 3, 200, 1_000, 25
LEAST_SHARE, LEAST_LABEL_SHARE, MOST_MB = 0.25, 0.5, 50
PRODUCT = """
INSERT INTO product (product_id, version, sku, name, price_minor, currency, vat_pct, is_active, on_hand, reserved)
VALUES ($1, 1, $2, 'Lampe', 100, 'NOK', 25, true, 0, 0)
"""
ORDERS = """
INSERT INTO sales_order (order_id, version, number, person_id, state, is_paid, total_minor, currency, placed_at, tracking)
SELECT id, 1, $2 || n, id, 'placed', false, 300, 'NOK', now(), '' FROM unnest($1::uuid[]) WITH ORDINALITY AS t (id, n)
"""
ORDER_LINES = """
INSERT INTO order_line (order_id, line_no, product_id, sku, name, quantity, unit_price_minor, vat_pct, amount_minor)
SELECT o.id, n, p.product_id, p.sku, p.name, 1, 100, 25, 100
FROM unnest($1::uuid[]) WITH ORDINALITY AS o (id, at) CROSS JOIN generate_series(1, $2) AS n
CROSS JOIN LATERAL (SELECT * FROM product WHERE sku = 'S' || (o.at * 7 + n * 31) % $3) AS p
"""
WAVE = """
INSERT INTO wave (wave_id, number, state, orders, lines, made_by, made_at) VALUES ($1, $2, 'open', 0, 0, 'bench', now())
"""
PICKED = "UPDATE sales_order SET state = 'picking', picked_at = now(), version = version + 1 WHERE order_id = ANY($1)"
COLUMNS = (
    "wave_id", "walk_no", "order_id", "line_no", "product_id", "place", "sku", "name", "quantity", "picked", "state",
    "taken_by",
)  # fmt: skip


async def filled(pool: "asyncpg.Pool[Any]", count: int, mark: str) -> list[Any]:
    """Place so many orders."""
    ids = [new_id() for _ in range(count)]
    await pool.execute(ORDERS, ids, mark)
    await pool.execute(ORDER_LINES, ids, LINES, PRODUCTS)
    await pool.execute("ANALYZE sales_order, order_line")
    return ids


async def bare(pool: "asyncpg.Pool[Any]", ids: list[Any], number: int) -> float:
    """Write the rows of a wave that are ready beforehand; return the seconds."""
    wave = new_id()
    lines = await pool.fetch(
        "SELECT * FROM order_line WHERE order_id = ANY($1) ORDER BY sku, order_id, line_no", ids
    )
    rows = [
        (wave, n, row["order_id"], row["line_no"], row["product_id"], "", row["sku"], row["name"], 1, 0, "waiting", "")
        for n, row in enumerate(lines, 1)
    ]  # fmt: skip
    members = [(wave, one, "picking") for one in ids]
    began = perf_counter()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(WAVE, wave, number)
        await connection.execute(PICKED, ids)
        await connection.copy_records_to_table("wave_order", records=members)
        await connection.copy_records_to_table("wave_line", records=rows, columns=COLUMNS)
    return perf_counter() - began


async def ours(service: Service, count: int) -> tuple[float, UUID]:
    """Make a wave; return the seconds, and its id."""
    began = perf_counter()
    async with write(service.scope, actor="bench") as tx:
        wave = await make_wave(tx, max_orders=count)
    if (wave.orders, wave.lines) != (count, count * LINES):
        raise RuntimeError(f"{wave.orders} orders, {wave.lines} lines")
    return perf_counter() - began, wave.wave_id


def peak_mb() -> float:
    """Return the most memory that the process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def read_list(client: httpx.AsyncClient, wave: UUID) -> int:
    """Read a pick list page by page; return its lines."""
    lines, cursor = 0, None
    while True:
        params = {"limit": PAGE, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(f"/v1/waves/{wave}/lines", params=params)).json()
        lines += len(page["items"])
        cursor = page["next_cursor"]
        if not cursor:
            return lines


def labels_share(rounds: int) -> tuple[float, float]:
    """Return labels per second and core, and that as a share of a constant label's."""

    def label(n: int) -> Label:
        home = (f"Kari Nordmann {n}", f"Storgata {n}", f"{n % 9_000:04d} OSLO")
        return Label(sscc("2000000", n), ("Lys AS",), home, "bring", "5800", f"{n}", 900, 1, 1)

    def spent(first: int, *, is_same: bool) -> float:
        chosen = [label(first if is_same else first + n) for n in range(LABELS)]
        began = process_time()
        render(chosen)
        return process_time() - began

    times = [
        (spent(turn * 1_000, is_same=False), spent(turn * 1_000 + 500, is_same=True))
        for turn in range(1, 4 * rounds + 2)
    ][1:]
    own = statistics.median(own for own, _ in times)
    return LABELS / own, statistics.median(same / own for own, same in times)


async def main(count: int, rounds: int) -> int:
    """Run the benchmark."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        house = await idle_service(stack, folder, SPEC, pool=4)
        service, pool = house.service, house.pool
        await pool.executemany(PRODUCT, [(new_id(), f"S{n}") for n in range(PRODUCTS)])
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=service.asgi),
            base_url="http://orders.test",
            headers={"Authorization": f"Bearer {house.token('bench', 'orders:read')}"},
        )
        stack.push_async_callback(client.aclose)
        # Memory first: the bare rows of the rounds below would hide what the use case holds.
        await filled(pool, 10, "W")
        await read_list(client, (await ours(service, 10))[1])
        await filled(pool, count, "M")
        gc.collect()
        idle = peak_mb()
        seconds, wave = await ours(service, count)
        began = perf_counter()
        lines = await read_list(client, wave)
        reading, over = perf_counter() - began, peak_mb() - idle
        shares = []
        for number in range(rounds):
            took = await bare(pool, await filled(pool, count, f"B{number}-"), 1_000_000 + number)
            await filled(pool, count, f"U{number}-")
            own, _ = await ours(service, count)
            shares.append(took / own)
            print(f"  bare {took:5.2f} s   wave {own:5.2f} s   {shares[-1]:.0%}")
    share = statistics.median(shares)
    per_second, label_share = labels_share(rounds)
    print(
        f"wave of {count:,} orders, {lines:,} lines: {seconds:.2f} s, read in {reading:.2f} s, {over:.0f} MB over idle"
        f" (at most {MOST_MB}); {share:.0%} of the bare writes (at least {LEAST_SHARE:.0%})"
    )
    print(
        f"labels: {per_second:,.0f} per second and core, {label_share:.0%} of a constant label"
        f" (at least {LEAST_LABEL_SHARE:.0%})"
    )
    good = share >= LEAST_SHARE and label_share >= LEAST_LABEL_SHARE and over <= MOST_MB
    return 0 if good else 1


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(uvloop.run(main(*(given + [10_000, 3][len(given) :]))))
