"""What a page of the console costs on the server, and how much a browser loads at first.

Each page asks the API several times in the gateway's process. An installation is started and the demonstration played;
then pages are asked for over one connection, round by round, next to a bare read of the API by a key as the peer.
Goals: 95 % of the pages within 100 ms, and at most 300 kB for the first look.

    python benchmarks/console.py [ROUNDS]
"""

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from pictures import House, running_house

PAGES = (
    "", "/contacts", "/imports", "/segments", "/campaigns", "/programmes", "/desk", "/orders", "/inbox", "/templates",
    "/reports", "/keys", "/users", "/operations",
)  # fmt: skip
PEER = "/v1/contacts?limit=50"
GOAL_MS, GOAL_BYTES = 100, 300_000
PASSWORD = "four plain words here"  # noqa: S105 - of an installation that lives for minutes


async def sign_in(house: House, client: httpx.AsyncClient) -> None:
    """Sign in by a one-time link."""
    link = house.run("user", "add", "bench@eksempel.test", "--role", "administrator").strip()
    answer = await client.post(link, data={"password": PASSWORD}, headers={"Origin": house.url})
    if answer.status_code != 303:
        raise RuntimeError(answer.text)


async def first_load(client: httpx.AsyncClient) -> int:
    """Return how many bytes a browser loads that has seen nothing yet."""
    page = await client.get("/console")
    addresses = {part.split('"', 1)[0] for part in page.text.split('"/console/assets/')[1:]}
    files = [await client.get(f"/console/assets/{address}") for address in addresses]
    icon = await client.get("/docs/assets/favicon-32x32.png")
    return sum(len(one.content) for one in (page, icon, *files))


async def measure(house: House, rounds: int) -> None:
    """Ask for every page, round by round."""
    key = house.run("keys", "create", "--role", "administrator").strip()
    asked: dict[str, dict[str, str]] = {f"/console{path}": {} for path in PAGES}
    asked[PEER] = {"Authorization": f"Bearer {key}"}
    took: dict[str, list[float]] = {path: [] for path in asked}
    async with httpx.AsyncClient(base_url=house.url, timeout=60, trust_env=False) as client:
        await sign_in(house, client)
        for number in range(rounds + 2):
            for path, headers in asked.items():
                started = perf_counter()
                answer = await client.get(path, headers=headers)
                answer.raise_for_status()
                if number > 1:  # the first two warm up
                    took[path].append((perf_counter() - started) * 1_000)
        size = await first_load(client)
    peer = statistics.median(took.pop(PEER))
    every = sorted(one for times in took.values() for one in times)
    for path, times in took.items():
        middle = statistics.median(times)
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"  {path:24} median {middle:6.1f} ms  p95 {p95:6.1f} ms  {middle / peer:5.1f} × a read"
        )
    p95 = every[int(len(every) * 0.95)]
    print(f"  a read of the API by a key: median {peer:.1f} ms")
    print(f"  every page: p95 {p95:.1f} ms (goal {GOAL_MS} ms)")
    print(f"  first look: {size:,} bytes (goal {GOAL_BYTES:,})")


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        running_house(Path(folder), people=300) as running,
    ):
        asyncio.run(measure(running, int(sys.argv[1]) if len(sys.argv) > 1 else 20))
