"""Coupons redeemed through the API, beside the bare conditional UPDATE of the same rows, in one run.

Fifty tills redeem a coupon each, again and again. Bare: each till has a connection of its own and runs the conditional
UPDATE, one coupon per transaction. API: each till calls the web application of campaign-svc (route, token, rules, words
of the answer, answered after the commit). Rounds alternate; both are durable, in one embedded PostgreSQL.

    python benchmarks/coupon_redeem.py [COUPONS_PER_ROUND] [ROUNDS]
"""

import asyncio
import gc
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import orjson
import uvloop
from _house import idle_service

from campaign_svc.campaigns.codes import draw_code
from campaign_svc.main import SPEC
from kantis_kit.ids import new_id
from kantis_kit.service import Service
from kantis_kit.web.middleware import Message

TILLS = 50
LEAST_SHARE = 0.6
BARE = "UPDATE coupon SET redeemed_at = now(), place = $2 WHERE code = $1 AND redeemed_at IS NULL RETURNING code"
SERIES = """
INSERT INTO coupon_series (id, name, kind, value_minor, currency, valid_from, made_by, made_at)
VALUES ($1, 'bench', 'amount', 5000, 'NOK', now() - interval '1 day', 'bench', now())
"""


async def bare(pool: "asyncpg.Pool[Any]", codes: Iterator[str]) -> None:
    """Be a till with a connection of its own."""
    async with pool.acquire() as connection:
        for code in codes:
            if await connection.fetchval(BARE, code, "till") != code:
                raise RuntimeError(code)


async def through_api(service: Service, token: str, codes: Iterator[str]) -> None:
    """Be a till that calls the API."""
    body = orjson.dumps({"place": "till", "receipt": "1"})
    headers = [
        (b"host", b"kantis.test"),
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    for code in codes:
        path = f"/v1/coupons/{code}/redemptions"
        scope: dict[str, Any] = {
            "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
            "client": ("127.0.0.1", 1), "server": ("kantis.test", 80),
        }  # fmt: skip
        await service.asgi(scope, receive, send)
        if status != 200:
            raise RuntimeError(f"{status} for {code}")


async def filled(pool: "asyncpg.Pool[Any]", count: int) -> list[str]:
    """Draw a series of so many coupons."""
    series = new_id()
    codes = [draw_code() for _ in range(count)]
    await pool.execute(SERIES, series)
    await pool.executemany(
        "INSERT INTO coupon (code, series_id, made_at) VALUES ($1, $2, now())",
        [(code, series) for code in codes],
    )
    await pool.execute("ANALYZE coupon")
    return codes


async def measure(
    service: Service, pool: "asyncpg.Pool[Any]", token: str, count: int, rounds: int
) -> list[float]:
    """Return per round how many coupons the API redeems per one of the bare UPDATE."""
    shares = []
    for number in range(rounds + 1):
        rates = {}
        for kind in ("bare", "api"):
            codes = iter(await filled(pool, count))
            began = perf_counter()
            async with asyncio.TaskGroup() as tills:
                for _ in range(TILLS):
                    till = (
                        bare(pool, codes) if kind == "bare" else through_api(service, token, codes)
                    )
                    tills.create_task(till)
            rates[kind] = count / (perf_counter() - began)
        if number:  # the first round warms up
            shares.append(rates["api"] / rates["bare"])
            print(f"  bare {rates['bare']:7,.0f}/s   API {rates['api']:7,.0f}/s   {shares[-1]:.0%}")
    return shares


async def main(count: int, rounds: int) -> int:
    """Run the benchmark."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kantis-bench-")))
        house = await idle_service(stack, folder, SPEC, pool=TILLS)
        token = house.token("till", "campaign:redeem")
        gc.freeze()
        shares = await measure(house.service, house.pool, token, count, rounds)
    share = statistics.median(shares)
    print(
        f"coupons redeemed through the API: {share:.0%} of the bare conditional UPDATE (at least {LEAST_SHARE:.0%})"
    )
    return 0 if share >= LEAST_SHARE else 1


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(uvloop.run(main(*(given + [5_000, 5][len(given) :]))))
