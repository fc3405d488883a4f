"""A gateway in a process of its own, to be killed. Prints its port; settings come from the environment."""

import asyncio
import sys

import uvicorn

from gateway.main import SPEC, build_distributed_gateway
from kantis_kit.service import Service


class Server(uvicorn.Server):
    """Tells its port once it listens."""

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"{self.servers[0].sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()


async def main() -> None:
    service = Service(SPEC, SPEC.settings())
    await service.start()
    app = build_distributed_gateway(service)
    await Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None, ws="none")
    ).serve()
    await service.stop()


asyncio.run(main())
