"""The whole house in processes of its own, a mail server that remembers, and a hand that kills."""

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from kantis.runtime import Running, read
from kantis_kit.testing.rabbit import rabbit_server, rabbit_to_break
from kantis_kit.testing.smtp import smtp_process
from kantis_kit.testing.waiting import eventually

__all__ = ["rabbit_server", "rabbit_to_break"]

PATIENT = {"KANTIS_CONNECT_TIMEOUT_SECONDS": "30", "KANTIS_LOCK_TIMEOUT_MS": "30000"}
"""Limits that no test meets because its machine stood still for some seconds."""
WAITS = """SELECT datname, state, wait_event_type, wait_event, pg_blocking_pids(pid) AS blocked_by, pid, left(query, 200) AS query
    FROM pg_stat_activity WHERE datname = current_database() AND (state <> 'idle' OR wait_event = 'Lock')"""


@dataclass
class House:
    """A running installation."""

    data_dir: Path
    environment: dict[str, str]
    arguments: tuple[str, ...]
    sink: Any
    process: asyncio.subprocess.Process | None = None
    killed: list[str] = field(default_factory=list)

    @property
    def running(self) -> Running:
        """The note that the installation has left."""
        found = read(self.data_dir)
        assert found is not None
        return found

    async def start(self) -> None:
        """Start it and wait until everything is ready."""
        log = (self.data_dir / "house.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kantis",
            "up",
            *self.arguments,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        await eventually(
            self._is_up, message=f"the house did not start: {self._log()[-2000:]}", within=100
        )
        # A house that is started again is found at its old address.
        self.environment["KANTIS_PORT"] = self.running.url.rsplit(":", 1)[1]

    def _is_up(self) -> bool:
        assert self.process is not None
        if self.process.returncode is not None:
            raise AssertionError(f"the house ended: {self._log()[-3000:]}")
        found = read(self.data_dir)
        return found is not None and found.pid == self.process.pid

    def _log(self) -> str:
        return (self.data_dir / "house.log").read_text(encoding="utf-8", errors="replace")

    async def demo(self, people: int) -> dict[str, Any]:
        """Play the demonstration; return what it came to."""
        playing = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kantis",
            "demo",
            "--people",
            str(people),
            "--json",
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await playing.communicate()
        if playing.returncode != 0:
            stands = await self.where_it_stands()
            raise AssertionError(f"{err.decode()[-3000:]}\n{self._log()[-3000:]}\n{stands}")
        told: dict[str, Any] = json.loads(out)
        return told

    async def where_it_stands(self) -> str:
        """Return what the processes say of their tasks, what the databases wait for, and the end of the log."""
        ours = [pid for pid, name in (await self.children()).items() if "-m kantis" in name]
        for pid in ours:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGUSR1)
        with suppress(AssertionError):
            await eventually(
                lambda: self.kantis_log().count("process.stands") >= len(ours),
                message="not every process says where it stands",
                within=10,
            )
        waits = [
            str(dict(row))
            for service in self.running.dsns
            for row in await self.fetch(service, WAITS)
        ]
        return "\n".join([*waits, self.kantis_log()[-60_000:]])

    def kantis_log(self) -> str:
        """What the supervised processes wrote."""
        path = self.data_dir / "kantis.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    async def children(self) -> dict[int, str]:
        """Return the supervised processes and PostgreSQL by process id."""
        assert self.process is not None
        listing = await asyncio.create_subprocess_exec(
            "ps", "-A", "-ww", "-o", "pid=,ppid=,args=", stdout=asyncio.subprocess.PIPE
        )
        out, _ = await listing.communicate()
        found = {}
        for line in out.decode().splitlines():
            pid, parent, command = line.split(None, 2)
            if int(parent) == self.process.pid:
                found[int(pid)] = command
        return found

    async def kill_one(self, rng: random.Random, *, postgres: bool) -> None:
        """SIGKILL one process, chosen by the generator."""
        children = await self.children()
        ours = sorted(pid for pid, name in children.items() if postgres or "-m kantis" in name)
        if not ours:
            return
        pid = rng.choice(ours)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.killed.append(children[pid][-60:])

    async def fetch(self, service: str, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Read a service's database. Raises `OSError` or `PostgresError` when its server is killed meanwhile."""
        connection = await asyncpg.connect(self.running.dsns[service])
        try:
            return list(await connection.fetch(query, *arguments))
        except asyncpg.InternalClientError as error:
            message = "the server died under the question"
            raise ConnectionResetError(message) from error
        finally:
            await connection.close()

    async def is_ready(self) -> bool:
        """Say whether the gateway and everything behind it is ready."""
        try:
            # Plain HTTP to ourselves: no certificates are read for each question.
            async with httpx.AsyncClient(timeout=5, verify=False, trust_env=False) as client:  # noqa: S501
                return (await client.get(f"{self.running.url}/readyz")).is_success
        except httpx.TransportError:
            return False

    async def has_form(self) -> bool:
        """Say whether the demonstration has begun: its form is there."""
        try:
            return bool(await self.fetch("contacts", "SELECT 1 FROM form WHERE key = 'friluft'"))
        except (OSError, asyncpg.PostgresError):
            return False

    async def quiet(self) -> None:
        """Wait until no service has anything to publish, to try again or to send."""
        await eventually(
            self._is_quiet,
            message="the house did not come to rest",
            within=90,
            retry_on=(OSError, asyncpg.PostgresError),
        )

    async def _is_quiet(self) -> bool:
        for service in self.running.dsns:
            rows = await self.fetch(
                service,
                "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM delivery WHERE state <> 'parked') AS n",
            )
            if rows[0]["n"]:
                return False
        return True

    def mails(self) -> Counter[tuple[str, str]]:
        """Return how often each (recipient, Message-ID) was accepted by the mail server."""
        return Counter((mail["rcpt"], mail["message_id"]) for mail in self.sink.messages)

    async def stop(self) -> None:
        """End it in order."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self.process.wait(), 60)


@pytest.fixture
def open_house():
    """Provide what opens a house: `async with open_house(folder, "--processes") as house`."""
    return _open_house


@asynccontextmanager
async def _open_house(
    folder: Path, *arguments: str, rabbit: str | None = None
) -> AsyncIterator[House]:
    """Provide a house on a folder of its own; it ends with the block."""
    data_dir = folder / "data"
    data_dir.mkdir()
    async with smtp_process(folder / "mails.jsonl") as sink:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KANTIS_")},
            "KANTIS_DATA_DIR": str(data_dir),
            "KANTIS_SMTP_HOST": "127.0.0.1",
            "KANTIS_SMTP_PORT": str(sink.port),
            **PATIENT,
            **({"KANTIS_RABBITMQ_URL": rabbit} if rabbit else {}),
        }
        house = House(data_dir, environment, arguments, sink)
        try:
            await house.start()
            yield house
        finally:
            await house.stop()
