"""What ends with the process."""

import asyncio

from gateway.upstreams.clients import Upstreams
from kantis_kit.service import Service


async def connection_keeper(service: Service) -> None:
    """Do nothing until the stop, then close the connections to the services."""
    try:
        await asyncio.Event().wait()
    finally:
        upstreams = service.scope.extras.get(Upstreams)
        if upstreams is not None:
            await upstreams.close()
