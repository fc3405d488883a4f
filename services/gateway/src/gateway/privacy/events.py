"""What leaves the service about erasures."""

from kantis_contracts.gateway import GatewayErasureCompletedV1
from kantis_contracts.privacy import ErasureReceipt


def completed(items: tuple[ErasureReceipt, ...]) -> GatewayErasureCompletedV1:
    """Say what was forgotten, and what stays and why."""
    return GatewayErasureCompletedV1(items=items)
