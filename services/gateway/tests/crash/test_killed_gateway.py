"""The gateway is killed again and again while leads come in, and its service comes and goes: none is lost or doubled."""

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest

from kantis_kit.testing.waiting import eventually

# Seven processes are started; beside other suites on a small machine that takes a while.
pytestmark = pytest.mark.timeout(300)

CHILD = Path(__file__).parent / "gateway_child.py"
LEADS = 48
CLIENTS = 6
KILL_EVERY = 12
AWAY_EVERY = 7


class Gateway:
    """The process, started anew each time it dies."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.process: asyncio.subprocess.Process | None = None
        self.port = 0
        self.deaths = 0
        self.listens = asyncio.Event()

    async def launch(self, **more: str) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(CHILD),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **self.environment, **more},
        )
        assert self.process.stdout is not None
        self.port = int(await self.process.stdout.readline())
        self.listens.set()

    async def kill(self) -> None:
        assert self.process is not None
        self.listens.clear()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        self.deaths += 1

    async def dies(self) -> None:
        """Wait until the process has killed itself at a fail-point."""
        assert self.process is not None
        await self.process.wait()
        self.listens.clear()


async def post_until_acknowledged(gateway: Gateway, client: httpx.AsyncClient, name: str) -> int:
    """Post a lead under its own key until it is taken; returns how often it was sent."""
    sent = 0
    while True:
        await gateway.listens.wait()
        sent += 1
        port = gateway.port
        try:
            answer = await client.post(
                f"http://127.0.0.1:{port}/f/newsletter",
                content=name,
                headers={"Idempotency-Key": name, "Content-Type": "text/plain"},
            )
        except httpx.TransportError:
            if port == gateway.port:
                gateway.listens.clear()  # until the next one listens
            continue
        if answer.is_success:
            return sent
        assert answer.status_code == 503, answer.text
        assert "retry-after" in answer.headers


def environment(world, port: int) -> dict[str, str]:
    settings = world.gateway.settings
    return {
        "KANTIS_ENVIRONMENT": "test",
        "KANTIS_POSTGRES_DSN": settings.postgres_dsn.get_secret_value(),
        "KANTIS_BROKER_URL": settings.broker_url.get_secret_value(),
        "KANTIS_KEYS_DIR": str(settings.keys_dir),
        "KANTIS_UPSTREAM_CONTACTS": f"http://127.0.0.1:{port}",
        "KANTIS_SPOOL_LEASE_SECONDS": "1",
        "KANTIS_IP_LIMIT": "100000/second",
    }


async def test_no_acknowledged_lead_is_lost_and_none_comes_twice(world_for, serve):
    world = await world_for()
    contacts = world.switches["contacts"]
    gateway = Gateway(environment(world, await serve(contacts)))
    await gateway.launch()
    waiting = [f"lead {number:03}" for number in range(LEADS)]
    acknowledged: list[str] = []
    kills: asyncio.Queue[None] = asyncio.Queue()

    async def visitor() -> None:
        async with httpx.AsyncClient(timeout=20) as client:
            while waiting:
                name = waiting.pop()
                await post_until_acknowledged(gateway, client, name)
                acknowledged.append(name)
                contacts.away = len(acknowledged) // AWAY_EVERY % 2 == 1
                if len(acknowledged) % KILL_EVERY == 0:
                    kills.put_nowait(None)

    async def killer() -> None:
        for _ in range(LEADS // KILL_EVERY - 1):
            await kills.get()
            await gateway.kill()
            await gateway.launch()

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(killer())
            for _ in range(CLIENTS):
                tasks.create_task(visitor())
        contacts.away = False

        async def is_empty() -> bool:
            return not await world.spooled()

        await eventually(is_empty, message="leads still wait in the spool")
    finally:
        await gateway.kill()

    assert sorted(acknowledged) == await world.names()
    assert LEADS == len(acknowledged)
    assert gateway.deaths >= LEADS // KILL_EVERY


async def test_killed_after_keeping_a_lead_or_after_delivering_it_the_lead_comes_once(
    world_for, serve
):
    world = await world_for()
    contacts = world.switches["contacts"]
    gateway = Gateway(environment(world, await serve(contacts)))
    contacts.away = True
    try:
        # Killed between the commit and the answer: the visitor has none, and sends the same again.
        await gateway.launch(KANTIS_FAILPOINTS="tx.after_commit:kill")
        async with httpx.AsyncClient(timeout=20) as client:
            posting = asyncio.gather(post_until_acknowledged(gateway, client, "lead"))
            await gateway.dies()
            await gateway.launch()
            (sent,) = await posting
        await gateway.kill()
        assert sent > 1
        assert 1 == len(await world.spooled())

        # Killed between the delivery and its note: delivered again by the next one, without a second effect.
        contacts.away = False
        await gateway.launch(KANTIS_FAILPOINTS="spool.delivered:kill")
        await gateway.dies()
        assert ["lead"] == await world.names()
        assert 1 == len(await world.spooled())
        await gateway.launch()

        async def is_empty() -> bool:
            return not await world.spooled()

        await eventually(is_empty, message="the lead still waits")
    finally:
        await gateway.kill()

    assert ["lead"] == await world.names()
