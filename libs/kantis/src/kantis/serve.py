"""One service in a process of its own: its web side, its worker side, or both."""

import asyncio
import gc
import signal
from enum import StrEnum

from kantis.registry import GATEWAY, spec_of
from kantis.runner import drain, inherited_sockets, saying_goodbye, server_for, wait_for_signal
from kantis_kit import observability
from kantis_kit.service import Service

log = observability.get_logger(__name__)


class Role(StrEnum):
    """Which side of a service a process is."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"


async def serve(name: str, role: Role, *, host: str, port: int) -> None:
    """Run one service until the process is asked to end. Settings come from the environment."""
    spec = spec_of(name)
    settings = spec.settings()
    observability.configure_logging(settings.log_level, settings.log_format)
    service = Service(spec, settings)
    application = service.asgi
    if name == GATEWAY:
        from gateway.main import build_distributed_gateway  # noqa: PLC0415 - no other service needs it

        application = build_distributed_gateway(service)
    # A worker answers its probes too: an orchestrator must know whether it is alive.
    application = saying_goodbye(application, lambda: service.stopping)
    server = server_for(application, host=host, port=port)
    await service.start(worker=role is not Role.WEB)
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    serving = asyncio.get_running_loop().create_task(
        server.serve(sockets=inherited_sockets()), name="http"
    )
    asked = asyncio.get_running_loop().create_task(wait_for_signal(), name="signals")
    log.info("service.started", service=name, role=role.value, port=port)
    await asyncio.wait((serving, asked), return_when=asyncio.FIRST_COMPLETED)
    service.stopping = True
    if not serving.done() and asked.result() is signal.SIGTERM:
        await drain(server, [service])
    server.should_exit = True
    asked.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await service.stop()
    log.info("service.stopped", service=name, role=role.value)
