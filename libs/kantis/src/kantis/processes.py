"""One process per service and role, watched: what dies is started again."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO

from kantis import runtime
from kantis.installation import Installation, InstallationError, free_port
from kantis.mailbox.catcher import Mailbox
from kantis.registry import GATEWAY, SERVICES
from kantis.serve import Role
from kantis_kit import observability
from kantis_kit.errors import Unavailable
from kantis_kit.http import OutgoingClient

log = observability.get_logger(__name__)

STOP_SECONDS = 30
READY_SECONDS = 60


@dataclass
class Child:
    """One supervised process."""

    name: str
    role: Role
    port: int
    environment: dict[str, str]
    output: IO[bytes] | None = None
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    held: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def launch(self) -> None:
        """Start the process in a group of its own: ctrl-C reaches the supervisor alone."""
        host = "127.0.0.1"
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kantis",
            "serve",
            self.name,
            "--role",
            self.role.value,
            "--host",
            host,
            "--port",
            str(self.port),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,
        )


class Supervisor:
    """Starts the children and keeps them alive."""

    def __init__(self, installation: Installation, *, mailbox_port: int | None) -> None:
        self._installation = installation
        self._tasks: list[asyncio.Task[None]] = []
        self._log = (installation.data_dir / "kantis.log").open("ab")
        installation.smtp_port = mailbox_port
        self.children: list[Child] = []
        taken: set[int] = {installation.port}

        def port() -> int:
            chosen = free_port(None, avoiding=taken)
            taken.add(chosen)
            return chosen

        upstreams = {}
        for name in SERVICES:
            web = self._child(name, Role.WEB, port())
            self.children += [web, self._child(name, Role.WORKER, port())]
            upstreams[name] = f"http://127.0.0.1:{web.port}"
        front = self._child(GATEWAY, Role.ALL, installation.port)
        for name, url in upstreams.items():
            front.environment[f"KANTIS_UPSTREAM_{name.upper()}"] = url
        self.front = front
        self.children.append(front)

    def _child(self, name: str, role: Role, port: int) -> Child:
        return Child(name, role, port, self._installation.environment(name), output=self._log)

    async def start(self, told: Callable[[str], None]) -> None:
        """Start every child and wait until the gateway says that all are ready."""
        loop = asyncio.get_running_loop()
        for child in self.children:
            told(f"{child.name} ({child.role.value})")
            await child.launch()
            self._tasks.append(loop.create_task(self._watch(child), name=f"watch {child.name}"))
        await self.wait_ready()

    async def wait_ready(self) -> None:
        """Wait until the gateway and everything behind it is ready.

        Raises:
            InstallationError: not within a minute.
        """
        client = OutgoingClient(timeout_seconds=2, retries=0)
        try:
            async with asyncio.timeout(READY_SECONDS):
                while True:
                    with contextlib.suppress(Unavailable):
                        client.breaker(f"127.0.0.1:{self.front.port}").opened_at = None
                        answer = await client.request(
                            "GET", f"http://127.0.0.1:{self.front.port}/readyz"
                        )
                        if answer.is_success:
                            return
                    await asyncio.sleep(0.1)
        except TimeoutError:
            message = f"Not everything came up; read {self._installation.data_dir / 'kantis.log'}"
            raise InstallationError(message) from None
        finally:
            await client.close()

    async def _watch(self, child: Child) -> None:
        while True:
            assert child.process is not None  # noqa: S101 - launched before it is watched
            code = await child.process.wait()
            if child.held:
                child.ended.set()
                return
            child.restarts += 1
            log.warning("process.died", service=child.name, role=child.role.value, code=code)
            await asyncio.sleep(min(5.0, 0.1 * 2 ** min(child.restarts, 6)))
            await child.launch()

    async def stop(self) -> None:
        """Stop the gateway first, then the services; what does not end in time is killed."""
        for group in ([self.front], [c for c in self.children if c is not self.front]):
            for child in group:
                child.held = True
                if child.process is not None and child.process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        child.process.send_signal(signal.SIGTERM)
            await asyncio.gather(*(self._end(child) for child in group))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
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


@asynccontextmanager
async def all_processes(
    installation: Installation, *, starting: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Supervisor]:
    """Run every service in processes of its own; leaving the block stops them in order."""
    mailbox: Mailbox | None = None
    mailbox_port = None
    if not installation.around.smtp_host:
        mailbox = Mailbox(installation.data_dir / "mailbox")
        mailbox_port = await mailbox.start()
    supervisor = Supervisor(installation, mailbox_port=mailbox_port)
    try:
        await supervisor.start(starting)
        installation.note().write(installation.data_dir)
        yield supervisor
    finally:
        runtime.forget(installation.data_dir)
        await supervisor.stop()
        if mailbox is not None:
            await mailbox.stop()
