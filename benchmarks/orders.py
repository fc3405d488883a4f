"""Orders placed through the API with their goods set aside, beside bare SQL that does the same writes, in one run.

Sixteen customers order one piece each, again and again: of one product that everybody wants, and of ten thousand. Bare:
each has a connection of its own and writes in one transaction what the service writes: the order, its line, the
reservation, the product (locked), the basket, and the events and notices as rows of the outbox. API: each calls the web
application of orders-svc (token, prices, VAT, answered after the commit; orders that come together share a statement). The
processor's time is that of this process: the database's own comes beside it. Rounds alternate in one embedded
PostgreSQL; both are durable.

    python benchmarks/orders.py [ORDERS_PER_ROUND] [ROUNDS]
"""

import asyncio
import gc
import itertools
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvloop
from _house import idle_service

from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.web.middleware import Message
from orders_svc.main import SPEC

CUSTOMERS = 16
LEAST_SHARE = 0.25
PRODUCTS = 10_000
BARE = (
    """
    INSERT INTO sales_order (order_id, version, number, person_id, state, is_paid, total_minor, currency, placed_at,
        tracking, substitutes)
    VALUES ($1, 1, nextval('order_number')::text, $2, 'placed', false, 100, 'NOK', now(), '', 'never')
    """,
    """
    INSERT INTO order_line (order_id, line_no, product_id, sku, name, quantity, unit_price_minor, vat_pct, amount_minor)
    SELECT $1, 1, product_id, sku, name, 1, 100, 25, 100 FROM product WHERE product_id = $2
    """,
    "INSERT INTO basket (order_id) VALUES ($1)",
    "INSERT INTO reservation (order_id, product_id, quantity, state) VALUES ($1, $2, 1, 'held')",
    """
    UPDATE product SET reserved = reserved + 1, version = version + 1
    WHERE product_id = $1 AND on_hand - reserved - awaited >= 1 RETURNING version
    """,
)
OUTBOX = "INSERT INTO bench_event (id, type, data) VALUES ($1, $2, $3)"
SETUP = (
    "CREATE TABLE bench_event (id uuid PRIMARY KEY, type text NOT NULL, data bytea NOT NULL)",
    """
    INSERT INTO product (product_id, version, sku, name, price_minor, currency, vat_pct, is_active, on_hand, reserved, vat_class)
    SELECT gen_random_uuid(), 1, 'P' || n, 'Thing ' || n, 100, 'NOK', 25, true, 1000000, 0, 'standard'
    FROM generate_series(1, 10000) AS n
    """,
    """
    INSERT INTO person (person_id, version, preferred_name, full_name, language, country, street, postal_code, city,
        address_country, is_erased)
    SELECT gen_random_uuid(), 1, 'Kari', 'Kari Nordmann', 'nb', 'NO', 'Storgata 1', '0155', 'Oslo', 'NO', false
    FROM generate_series(1, 1000)
    """,
    "ANALYZE",
)
CARD = b"x" * 700
"""As long as the events of an order are on average."""

Order = tuple[UUID, UUID]


async def bare(pool: "asyncpg.Pool[Any]", orders: Iterator[Order]) -> None:
    """Be a customer with a connection of their own."""
    async with pool.acquire() as connection:
        for person_id, product_id in orders:
            order_id = new_id()
            async with connection.transaction():
                await connection.execute(BARE[0], order_id, person_id)
                await connection.execute(BARE[1], order_id, product_id)
                await connection.execute(BARE[2], order_id)
                await connection.execute(BARE[3], order_id, product_id)
                rows = [(new_id(), kind, CARD) for kind in ("product", "order", "notice")]
                await connection.executemany(OUTBOX, rows)
                if await connection.fetchval(BARE[4], product_id) is None:
                    raise RuntimeError(product_id)


async def through_api(service: Service, token: str, orders: Iterator[Order]) -> None:
    """Be a customer who calls the API."""
    status = 0

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    for person_id, product_id in orders:
        body = orjson.dumps(
            {"person_id": str(person_id), "lines": [{"product_id": str(product_id)}]}
        )
        scope: dict[str, Any] = {
            "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/v1/orders",
            "raw_path": b"/v1/orders", "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
            "server": ("kantis.test", 80),
            "headers": [
                (b"host", b"kantis.test"),
                (b"authorization", f"Bearer {token}".encode()),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }  # fmt: skip
        sent = iter((body,))

        async def receive(sent: Iterator[bytes] = sent) -> dict[str, Any]:
            return {"type": "http.request", "body": next(sent, b""), "more_body": False}

        await service.asgi(scope, receive, send)
        if status != 201:
            raise RuntimeError(f"{status} for {product_id}")


async def measure(
    service: Service, pool: "asyncpg.Pool[Any]", token: str, count: int, rounds: int
) -> dict[str, float]:
    """Return by how many products are ordered what share of the bare orders the API places."""
    products = [row["product_id"] for row in await pool.fetch("SELECT product_id FROM product")]
    people = [row["person_id"] for row in await pool.fetch("SELECT person_id FROM person")]
    shares: dict[str, list[float]] = {"one hot product": [], "10,000 products": []}
    for number in range(rounds + 1):
        for name, wanted in (("one hot product", products[:1]), ("10,000 products", products)):
            rates, busy_ms = {}, {}
            for kind in ("bare", "api"):
                pairs = itertools.islice(
                    zip(itertools.cycle(people), itertools.cycle(wanted), strict=False), count
                )
                began, busy = perf_counter(), process_time()
                async with asyncio.TaskGroup() as customers:
                    for _ in range(CUSTOMERS):
                        customers.create_task(
                            bare(pool, pairs)
                            if kind == "bare"
                            else through_api(service, token, pairs)
                        )
                rates[kind] = count / (perf_counter() - began)
                busy_ms[kind] = 1000 * (process_time() - busy) / count
            if number:  # the first round warms up
                shares[name].append(rates["api"] / rates["bare"])
                print(
                    f"  {name:>16}: bare {rates['bare']:6,.0f}/s   API {rates['api']:6,.0f}/s   {shares[name][-1]:.0%}"
                    f"   processor of this process: bare {busy_ms['bare']:.2f} ms, API {busy_ms['api']:.2f} ms an order"
                )
    return {name: statistics.median(found) for name, found in shares.items()}


async def main(count: int, rounds: int) -> int:
    """Run the benchmark."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        house = await idle_service(stack, folder, SPEC, pool=CUSTOMERS, pool_size=CUSTOMERS)
        for statement in SETUP:
            await house.pool.execute(statement)
        token = house.token("shop", "orders:read", "orders:write")
        gc.freeze()
        shares = await measure(house.service, house.pool, token, count, rounds)
    for name, share in shares.items():
        print(
            f"orders of {name} through the API: {share:.0%} of bare SQL (at least {LEAST_SHARE:.0%})"
        )
    return 0 if min(shares.values()) >= LEAST_SHARE else 1


if __name__ == "__main__":
    ORDERS, ROUNDS = (int(one) for one in (sys.argv[1:] + ["600", "3"][len(sys.argv) - 1 :]))
    sys.exit(uvloop.run(main(ORDERS, ROUNDS)))
