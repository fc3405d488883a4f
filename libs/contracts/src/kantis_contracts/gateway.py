"""Facts that gateway publishes."""

from kantis_contracts.base import Event, Items
from kantis_contracts.privacy import ErasureReceipt


class GatewayErasureCompletedV1(Event, type="gateway.gateway_erasure.completed.v1"):
    """The gateway has dropped waiting leads of persons who are forgotten."""

    items: tuple[ErasureReceipt, ...] = Items
