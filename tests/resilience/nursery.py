"""Services in processes of their own that die and come back at once."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from kantis_kit.testing.waiting import eventually

CHILD = Path(__file__).parent / "nursery_child.py"


def free_port(taken: set[int]) -> int:
    """Return a port of loopback that nobody listens on, below those that the system gives away."""
    for port in range(random.SystemRandom().randrange(21_000, 31_000), 32_000):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port not in taken and one.connect_ex(("127.0.0.1", port)):
                taken.add(port)
                return port
    message = "no port is free"
    raise OSError(message)


class Nursery:
    """What services are forked from; see `nursery_child.py`."""

    def __init__(self, *names: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fork(self, name: str, port: int, environment: dict[str, str], *, works: bool) -> int:
        """Start a service, with its worker side or without; return its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        wanted = {"name": name, "port": port, "environment": environment, "works": works}
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it, and all that it has started with it."""
        self._process.kill()
        self._process.communicate()


@dataclass
class Mortal:
    """One service, started anew each time it was killed."""

    nursery: Nursery
    name: str
    port: int
    environment: dict[str, str]
    works: bool = False
    """Whether its worker side runs too."""
    deaths: int = 0
    pid: int = 0

    async def launch(self) -> None:
        """Start it and wait until it answers."""
        self.pid = self.nursery.fork(self.name, self.port, self.environment, works=self.works)
        async with httpx.AsyncClient() as client:

            async def lives():
                return (await client.get(f"http://127.0.0.1:{self.port}/livez")).is_success

            await eventually(
                lives,
                message=f"{self.name} did not start",
                within=120,
                retry_on=(httpx.TransportError,),
            )

    async def kill(self) -> None:
        """Kill it as a power cut does."""
        os.kill(self.pid, signal.SIGKILL)
        await self._end()
        self.deaths += 1

    async def close(self) -> None:
        """End it, however often it was killed."""
        if self.is_alive():
            os.kill(self.pid, signal.SIGKILL)
            await self._end()

    async def _end(self) -> None:
        await eventually(lambda: not self.is_alive(), message=f"{self.name} did not die")

    def is_alive(self) -> bool:
        """Say whether its process is there."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return bool(self.pid)
