"""One process per service and role, watched: what dies is started again."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO

from kantis import runtime
from kantis.errors import InstallationError
from kantis.installation import Installation
from kantis.ports import HOST, PortRow
from kantis.registry import GATEWAY, SERVICES
from kantis.runner import LISTEN_FD, SUPERVISOR, keep_partitions
from kantis.serve import Role
from kantis_kit import observability
from kantis_kit.errors import Unavailable
from kantis_kit.http import OutgoingClient

log = observability.get_logger(__name__)

STOP_SECONDS = 30
READY_SECONDS = 60


@dataclass
class Child:
    """One supervised process: `python -m kantis` with these arguments."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    url: str = ""
    """Where it tells whether it is ready; empty for what is never asked."""
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    is_held: bool = False
    listening: socket.socket | None = None
    """Held here, so that callers wait while the process is started again, instead of being refused."""

    async def launch(self, output: IO[bytes]) -> None:
        """Start the process in a group of its own: ctrl-C reaches the supervisor alone."""
        environment = {**self.environment, SUPERVISOR: str(os.getpid())}
        passed: tuple[int, ...] = ()
        if self.listening is not None:
            passed = (self.listening.fileno(),)
            environment[LISTEN_FD] = str(self.listening.fileno())
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kantis",
            *self.arguments,
            env=environment,
            pass_fds=passed,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


class Supervisor:
    """Starts the children and keeps them alive."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._tasks: list[asyncio.Task[None]] = []
        self._log = (installation.data_dir / "kantis.log").open("ab")
        self._row = PortRow()
        listening = installation.listen()
        self.children: list[Child] = []
        upstreams = {}
        if not installation.around.smtp_host:
            upstreams["mailbox"] = self._add_mailbox()
        for name in SERVICES:
            port = self._row.take()
            self._add(name, Role.WEB, port)
            self._add(name, Role.WORKER, self._row.take())
            upstreams[name] = f"http://{HOST}:{port}"
        self.front = self._add(GATEWAY, Role.ALL, installation.port)
        self.front.listening = listening
        for name, url in upstreams.items():
            self.front.environment[f"KANTIS_UPSTREAM_{name.upper()}"] = url

    def _add(self, name: str, role: Role, port: int) -> Child:
        arguments = ("serve", name, "--role", role.value, "--host", HOST, "--port", str(port))
        environment = self._installation.environment(name)
        child = Child(f"{name} {role.value}", arguments, environment, f"http://{HOST}:{port}")
        self.children.append(child)
        return child

    def _add_mailbox(self) -> str:
        smtp, port = self._row.take(), self._row.take()
        folder = str(self._installation.data_dir / "mailbox")
        arguments = ("mailbox", "--folder", folder, "--smtp-port", str(smtp), "--port", str(port))
        self.children.append(Child("mailbox", arguments, dict(os.environ)))
        self._installation.smtp_port = smtp
        return f"http://{HOST}:{port}"

    async def start(self, told: Callable[[str], None]) -> None:
        """Start every child and wait until all are ready."""
        loop = asyncio.get_running_loop()
        for child in self.children:
            told(child.name)
            await child.launch(self._log)
            self._tasks.append(loop.create_task(self._watch(child), name=f"watch {child.name}"))
        await self.wait_ready()

    async def wait_ready(self) -> None:
        """Wait until the gateway, every web side behind it and every worker is ready.

        Raises:
            InstallationError: not within a minute.
        """
        client = OutgoingClient(timeout_seconds=2, retries=0)
        try:
            async with asyncio.timeout(READY_SECONDS):
                for child in self.children:
                    await _wait_for(client, child.url)
        except TimeoutError:
            message = f"Not everything came up; read {self._installation.data_dir / 'kantis.log'}"
            raise InstallationError(message) from None
        finally:
            await client.close()

    async def _watch(self, child: Child) -> None:
        while True:
            assert child.process is not None  # noqa: S101 - launched before it is watched
            code = await child.process.wait()
            if child.is_held:
                return
            child.restarts += 1
            log.warning("process.died", process=child.name, code=code)
            await asyncio.sleep(min(5.0, 0.1 * 2 ** min(child.restarts, 6)))
            if child.is_held:  # it died while the house was about to end
                return
            try:
                await child.launch(self._log)
            except (
                OSError
            ) as error:  # no memory or no process left: the same again after the next pause
                log.warning("process.not_started", process=child.name, error=type(error).__name__)

    async def drain(self) -> None:
        """Have callers leave: the gateway ends as if it were alone, and nobody waits for it to come again."""
        self.front.is_held = True
        if self.front.listening is not None:
            self.front.listening.close()  # the gateway has one of its own and closes it when it is time
        self._signal(self.front, signal.SIGTERM)
        await self._end(self.front)

    def _signal(self, child: Child, number: signal.Signals) -> None:
        if child.process is not None and child.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(number)

    async def stop(self) -> None:
        """Stop the gateway first, then the services; what does not end in time is killed."""
        for group in ([self.front], [c for c in self.children if c is not self.front]):
            for child in group:
                child.is_held = True
                # Nobody is to be waited for: the whole house goes.
                self._signal(child, signal.SIGINT)
            await asyncio.gather(*(self._end(child) for child in group))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._row.close()
        self._log.close()

    async def _end(self, child: Child) -> None:
        if child.process is None:
            return
        try:
            await asyncio.wait_for(child.process.wait(), STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
            await child.process.wait()


async def _wait_for(client: OutgoingClient, url: str) -> None:
    while url:
        with contextlib.suppress(Unavailable):
            client.breaker(url.removeprefix("http://")).opened_at = None
            if (await client.request("GET", f"{url}/readyz")).is_success:
                return
        await asyncio.sleep(0.1)


@asynccontextmanager
async def all_processes(
    installation: Installation, *, starting: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Supervisor]:
    """Run every service in processes of its own; leaving the block stops them in order."""
    supervisor = Supervisor(installation)
    upkeep = asyncio.get_running_loop().create_task(keep_partitions(installation), name="upkeep")
    try:
        await supervisor.start(starting)
        installation.note().write(installation.data_dir)
        yield supervisor
    finally:
        upkeep.cancel()
        await asyncio.gather(upkeep, return_exceptions=True)
        runtime.forget(installation.data_dir)
        await supervisor.stop()
