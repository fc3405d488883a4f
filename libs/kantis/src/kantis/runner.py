"""Everything in one process: the gateway in front, every service behind it, no network in between."""

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import uvicorn

from kantis import runtime
from kantis.installation import Installation
from kantis.mailbox.catcher import Mailbox
from kantis.mailbox.pages import mailbox_app
from kantis.registry import GATEWAY, SERVICES, spec_of
from kantis_kit import observability
from kantis_kit.brokers.embedded import EmbeddedBroker
from kantis_kit.service import Service
from kantis_kit.web.middleware import App

log = observability.get_logger(__name__)

SUPERVISOR = "KANTIS_SUPERVISOR"
"""Set for supervised processes: the process id of their supervisor."""
MAINTENANCE_SECONDS = timedelta(hours=6).total_seconds()
DRAIN_SECONDS = 20


class Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the runner decides the order in which things stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the runner."""
        yield


def server_for(app: App, *, port: int, host: str = "127.0.0.1") -> Server:
    """Return a server for an ASGI application."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=65_536,
    )
    return Server(config)


@asynccontextmanager
async def everything(
    installation: Installation, *, starting: Callable[[str], None] = lambda _: None
) -> AsyncIterator[dict[str, Service]]:
    """Run every service in this process; leaving the block stops them in order."""
    from gateway.main import build_gateway  # noqa: PLC0415 - the gateway is imported with the services it fronts

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
        server = server_for(app, port=installation.port)
        gc.collect()
        gc.freeze()  # a full collection over the loaded frameworks is a 38 ms pause
        gc.set_threshold(100_000, 50, 100)
        serving = asyncio.get_running_loop().create_task(server.serve(), name="http")
        maintaining = asyncio.get_running_loop().create_task(_maintain(installation), name="upkeep")
        try:
            while not server.started:
                if serving.done():
                    serving.result()
                await asyncio.sleep(0.01)
            installation.note().write(installation.data_dir)
            yield services
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


async def _maintain(installation: Installation) -> None:
    while True:
        try:
            await installation.maintain()
        except Exception as error:  # noqa: BLE001 - upkeep is tried again; the partitions reach weeks ahead
            log.warning("upkeep.failed", error=type(error).__name__)
        await asyncio.sleep(MAINTENANCE_SECONDS)


async def wait_for_signal() -> None:
    """Return when the process is asked to end, or when the supervisor that started it is gone."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    supervisor = os.environ.get(SUPERVISOR)
    if supervisor is None:
        await asked.wait()
        return
    while str(os.getppid()) == supervisor:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asked.wait()
                return
