"""Everything in one process: the gateway in front, every service behind it, no network in between."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import uvicorn

from kantis import runtime
from kantis.installation import Installation
from kantis.mailbox.catcher import Mailbox
from kantis.mailbox.pages import mailbox_app
from kantis.registry import GATEWAY, SERVICES, spec_of
from kantis.wire import OneWrite
from kantis_kit import observability
from kantis_kit.brokers.embedded import EmbeddedBroker
from kantis_kit.observability.standing import tell_where_tasks_stand
from kantis_kit.service import Service
from kantis_kit.web.middleware import App, Message, Receive, Scope, Send

log = observability.get_logger(__name__)

SUPERVISOR = "KANTIS_SUPERVISOR"
"""Set for supervised processes: the process id of their supervisor."""
MAINTENANCE_SECONDS = timedelta(hours=6).total_seconds()
LISTEN_FD = "KANTIS_LISTEN_FD"
"""Set for a process whose supervisor holds its listening socket: the number of that file descriptor."""
DRAIN_SECONDS = 15
"""How long requests under way may take at the stop; with all the rest of a stop within half a minute."""
LINGER_SECONDS = 0.25
"""How long what the kernel has accepted already is served after the listening has ended."""
LONGEST_LINGER_SECONDS = 5.0
QUIET_SECONDS = 3.0
"""Who has kept a connection silent for so long is not about to ask: it may be closed, and the next question opens
another one."""
KEEP_ALIVE_SECONDS = 30


class Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the runner decides the order in which things stop."""

    async def stop_listening(self) -> None:
        """Take no new connection; serve those that are open until each has been told to close, or is silent.

        A connection that is closed while its caller sends the next request would lose that request.
        """
        for server in getattr(self, "servers", ()):
            await self._close_door(server)
        await asyncio.sleep(LINGER_SECONDS)
        loop = asyncio.get_running_loop()
        last = loop.time() + LONGEST_LINGER_SECONDS
        while loop.time() < last and any(  # noqa: ASYNC110 - uvicorn tells nobody when a connection ends
            is_in_use(connection, loop.time()) for connection in self.server_state.connections
        ):
            await asyncio.sleep(LINGER_SECONDS / 5)

    async def _close_door(self, server: asyncio.Server) -> None:
        """Let in whom the kernel has let in until this moment: who has connected and is never accepted is cut off."""
        doors = [socket.socket(fileno=os.dup(one.fileno())) for one in server.sockets]
        server.close()
        come: list[socket.socket] = []
        for door in doors:
            door.settimeout(0)
            # Nothing stands between the last one and the closing: whatever this process did there, more would come.
            with door, contextlib.suppress(OSError):
                while True:
                    come.append(door.accept()[0])
        for connection in come:
            connection.settimeout(0)
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        """Return what serves a connection, as the library makes it."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # typed as any protocol there
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the runner."""
        yield


def is_in_use(connection: asyncio.Protocol, now: float) -> bool:
    """Say whether a request may be on its way: one is being answered, or the last answer is not long ago."""
    closing: asyncio.TimerHandle | None = getattr(connection, "timeout_keep_alive_task", None)
    return closing is None or now - (closing.when() - KEEP_ALIVE_SECONDS) < QUIET_SECONDS


def server_for(app: App, *, port: int, host: str = "127.0.0.1") -> Server:
    """Return a server for an ASGI application."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=OneWrite,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # which proxies are believed is a setting of the gateway's own
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        h11_max_incomplete_event_size=65_536,
    )
    return Server(config)


def saying_goodbye(app: App, is_stopping: Callable[[], bool]) -> App:
    """Have a stopping process close each connection with its answer: no caller sends one more request into the stop."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start" and is_stopping():
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, send_last)

    return wrapped


async def drain(server: Server, services: Sequence[Service]) -> None:
    """Have callers leave before the end, so that none of them notices it.

    Readiness turns red first and callers are told to come on another connection; then nobody is let in.
    """
    for service in services:
        service.stopping = True
    await asyncio.sleep(max(service.settings.drain_seconds for service in services))
    await server.stop_listening()


@dataclass(frozen=True)
class Together:
    """Every service of a process, and the server in front of them."""

    services: dict[str, Service]
    server: Server

    async def drain(self) -> None:
        """Have callers leave; what is under way goes on."""
        await drain(self.server, list(self.services.values()))


def inherited_sockets() -> list[socket.socket] | None:
    """Return the listening socket that a supervisor has handed over, or None."""
    number = os.environ.get(LISTEN_FD)
    return [socket.socket(fileno=int(number))] if number else None


@asynccontextmanager
async def everything(
    installation: Installation, *, starting: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Together]:
    """Run every service in this process; leaving the block stops them in order."""
    from gateway.main import build_gateway  # noqa: PLC0415 - the gateway is imported with the services it fronts

    front = installation.listen()
    services: dict[str, Service] = {}
    mailbox: Mailbox | None = None
    if not installation.around.smtp_host:
        mailbox = Mailbox(installation.data_dir / "mailbox")
        installation.smtp_port = await mailbox.start()
    try:
        for name in (*SERVICES, GATEWAY):
            starting(name)
            services[name] = Service(spec_of(name), installation.settings(name))
        # Every queue exists before the first relay publishes: no event is unroutable on a first start.
        for name in SERVICES:
            await _declare(services[name])
        for service in services.values():
            await service.start()
        extra = {"/mailbox": mailbox_app(mailbox)} if mailbox else {}
        app = build_gateway(
            services[GATEWAY],
            {name: services[name].asgi for name in SERVICES},
            openapi={name: services[name].openapi for name in (*SERVICES, GATEWAY)},
            extra_upstreams=extra,
        )
        app = saying_goodbye(app, lambda: services[GATEWAY].stopping)
        server = server_for(app, port=installation.port)
        gc.collect()
        gc.freeze()  # a full collection over the loaded frameworks is a 38 ms pause
        gc.set_threshold(100_000, 50, 100)
        serving = asyncio.get_running_loop().create_task(server.serve(sockets=[front]), name="http")
        maintaining = asyncio.get_running_loop().create_task(
            keep_partitions(installation), name="upkeep"
        )
        try:
            while not server.started:
                if serving.done():
                    serving.result()
                await asyncio.sleep(0.01)
            installation.note().write(installation.data_dir)
            yield Together(services, server)
        finally:
            for service in services.values():
                service.stopping = True
            maintaining.cancel()
            server.should_exit = True
            await asyncio.gather(serving, maintaining, return_exceptions=True)
    finally:
        runtime.forget(installation.data_dir)
        await asyncio.gather(*(service.stop() for service in services.values()))
        if mailbox is not None:
            await mailbox.stop()


async def _declare(service: Service) -> None:
    from kantis_kit.consumer import subscriptions  # noqa: PLC0415 - used here alone

    if isinstance(service.broker, EmbeddedBroker):
        await service.broker.start()
        await service.broker.declare(subscriptions(service.spec.handlers))


async def keep_partitions(installation: Installation) -> None:
    """Have the partitions of the coming weeks made and old ones dropped, for as long as the installation runs."""
    while True:
        try:
            await installation.maintain()
        except Exception as error:  # noqa: BLE001 - upkeep is tried again; the partitions reach weeks ahead
            log.warning("upkeep.failed", error=type(error).__name__)
        await asyncio.sleep(MAINTENANCE_SECONDS)


async def wait_for_signal() -> signal.Signals:
    """Return the signal that asks the process to end; SIGINT when the supervisor that started it is gone.

    SIGTERM asks for a stop that no caller notices, SIGINT for a quick one. SIGUSR1 has the process write into its log where
    its tasks stand.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    came: list[signal.Signals] = []

    def take(number: signal.Signals) -> None:
        came.append(number)
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, take, number)
    loop.add_signal_handler(signal.SIGUSR1, tell_where_tasks_stand)
    supervisor = os.environ.get(SUPERVISOR)
    if supervisor is None:
        await asked.wait()
        return came[0]
    while str(os.getppid()) == supervisor:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asked.wait()
                return came[0]
    return signal.SIGINT
