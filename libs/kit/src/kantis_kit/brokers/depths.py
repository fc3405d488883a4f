"""How deep queues are, as far as it can be seen from here."""

import asyncio
import contextlib
from collections.abc import Sequence

from kantis_kit import observability
from kantis_kit.brokers.port import Broker
from kantis_kit.errors import BrokerError


async def read_depths(broker: Broker, queues: Sequence[str]) -> dict[str, int | None]:
    """Return how many messages wait in each queue, and keep the figures of it; None where it cannot be seen from here.

    The web side of a service has no connection to the broker: the worker side tells how deep the queues are.
    """
    if broker.state == "down":
        return dict.fromkeys(queues)
    depths = await asyncio.gather(*(_read_depth(broker, queue) for queue in queues))
    return dict(zip(queues, depths, strict=True))


async def _read_depth(broker: Broker, queue: str) -> int | None:
    try:
        async with asyncio.timeout(1):
            depth = await broker.depth(queue)
    except (BrokerError, OSError, TimeoutError):
        # No figure is better than an old one, and a broker that is away makes nobody unready.
        with contextlib.suppress(KeyError):
            observability.queue_depth.remove(queue)
        return None
    observability.queue_depth.labels(queue).set(depth)
    return depth
