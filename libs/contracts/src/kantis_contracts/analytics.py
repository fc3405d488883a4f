"""Facts that analytics-svc publishes."""

from kantis_contracts.base import Event, Items
from kantis_contracts.privacy import DossierPart, ErasureReceipt


class AnalyticsErasureCompletedV1(Event, type="analytics.analytics_erasure.completed.v1"):
    """Analytics has forgotten persons."""

    items: tuple[ErasureReceipt, ...] = Items


class AnalyticsDossierAnsweredV1(Event, type="analytics.analytics_dossier.answered.v1"):
    """What analytics holds of persons who asked."""

    items: tuple[DossierPart, ...] = Items
