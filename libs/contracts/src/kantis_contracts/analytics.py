"""Facts that analytics-svc publishes."""

from kantis_contracts.base import Event, Items
from kantis_contracts.privacy import ErasureReceipt


class AnalyticsErasureCompletedV1(Event, type="analytics.analytics_erasure.completed.v1"):
    """Analytics has forgotten persons."""

    items: tuple[ErasureReceipt, ...] = Items
