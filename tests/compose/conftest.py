"""The whole system in containers, brought up once for all tests of this folder and taken down with its volumes."""

import asyncio
import hashlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from kantis_kit.testing.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 600  # a guard, not a measure: two slow cores start two dozen containers
_HOW_TO_MEND = """
No Docker engine with compose answers, and these tests are about nothing else. Do one of these:
  * start the engine (`systemctl start docker`, or Docker Desktop) and see that `docker info` answers for this user
  * install what is missing: Docker's packages, or `apt-get install docker.io docker-compose` on Debian and Ubuntu
What was tried:
"""


def run(*command: str, given: str | None = None, **environment: str) -> str:
    """Run a command to its end and return what it printed; what it said is in the failure."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def _compose_command() -> list[str]:
    tried = []
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) is None:
            tried.append(f"  - {command[0]}: not found")
            continue
        found = subprocess.run([*command, "version"], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            break
        tried.append(f"  - {' '.join(command)}: {(found.stderr or found.stdout).strip()[:200]}")
    else:
        pytest.fail(_HOW_TO_MEND + "\n".join(tried))
    engine = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if engine.returncode:
        pytest.fail(f"{_HOW_TO_MEND}  - docker info: {engine.stderr.strip()[:300]}")
    return command


def _free_port() -> int:
    # Below 32768, where no outgoing connection takes it in the meantime.
    for port in range(18400, 18500):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.fail("no free port from 18400 to 18499")


@dataclass
class Stack:
    """The composed system under a project name of its own."""

    command: list[str]
    project: str
    port: int
    image: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, given: str | None = None) -> str:
        """Run a compose command on this project."""
        settings = {
            "KANTIS_PORT": str(self.port),
            "KANTIS_PUBLIC_URL": self.url,
            "KANTIS_IMAGE": self.image,
        }
        whole = (*self.command, "-p", self.project, *arguments)
        try:
            return run(*whole, given=given, **settings)
        except pytest.fail.Exception as failed:
            if arguments[0] != "up":
                raise
            pytest.fail(f"{failed}\n{self.last_words()}")

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what the engine knows of each container, by the service's name."""
        ids = self.compose("ps", "-q", *([] if self.command[0] != "docker" else ["-a"])).split()
        found = json.loads(run("docker", "inspect", *ids))
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}

    def last_words(self) -> str:
        """Return what the containers said that ended with an error: compose tells their ids alone."""
        said = []
        for name, each in self.containers().items():
            if each["State"]["ExitCode"]:
                logs = ("docker", "logs", "--tail", "20", each["Id"])
                done = subprocess.run(
                    logs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
                )
                said.append(f"{name}: {done.stdout}")
        return "\n".join(said)

    def inside(self, service: str, script: str) -> str:
        """Run a Python script of `inside/` in a service's container, as that service's user."""
        text = (Path(__file__).parent / "inside" / script).read_text(encoding="utf-8")
        return self.compose("exec", "-T", service, "python", "-", given=text)

    def kill(self, service: str) -> None:
        """Kill everything in a container at once; its first process ends by that, too."""
        everything = ["sh", "-c", "kill -9 -1"]  # the shell is among what dies
        container = self.containers()[service]["Id"]
        subprocess.run(["docker", "exec", container, *everything], check=False)

    async def wait_ready(self) -> None:
        """Wait until every container that has a health check is healthy and the gateway says that all are ready."""

        def all_healthy() -> bool:
            unhealthy = [
                name
                for name, each in self.containers().items()
                if each["State"].get("Health", {}).get("Status", "healthy") != "healthy"
            ]
            return not unhealthy

        await eventually(all_healthy, message="every container is healthy", within=READY_SECONDS)

        async with httpx.AsyncClient(base_url=self.url, timeout=10) as client:

            async def is_ready() -> bool:
                return (await client.get("/readyz")).is_success

            await eventually(
                is_ready,
                message="the gateway is ready",
                within=READY_SECONDS,
                retry_on=(httpx.HTTPError,),
            )


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The system, up and ready."""
    name = hashlib.sha256(f"{ROOT} {os.getpid()}".encode()).hexdigest()[:10]
    found = Stack(_compose_command(), f"kantis-test-{name}", _free_port(), f"kantis:test-{name}")
    try:
        found.compose("build")
        found.compose("up", "-d")
        asyncio.run(found.wait_ready())
        yield found
    except BaseException:
        print(found.compose("logs", "--no-color", "--tail", "40"))  # noqa: T201 - for the one who reads the failure
        raise
    finally:
        found.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
        # The layers stay for the next build.
        subprocess.run(
            ["docker", "rmi", "--no-prune", found.image], capture_output=True, check=False
        )


@pytest.fixture(scope="session")
def key(stack: Stack) -> str:
    """An administrator's API key, made inside the gateway's container."""
    made = stack.compose(
        "exec", "-T", "gateway", "kantis", "keys", "create", "--role", "administrator"
    )
    return made.strip()
