"""What leaves the service about erasures."""

from kantis_contracts.analytics import AnalyticsDossierAnsweredV1, AnalyticsErasureCompletedV1
from kantis_contracts.privacy import DossierPart, ErasureReceipt


def completed(items: tuple[ErasureReceipt, ...]) -> AnalyticsErasureCompletedV1:
    """Say what was forgotten, and what stays and why."""
    return AnalyticsErasureCompletedV1(items=items)


def answered(items: tuple[DossierPart, ...]) -> AnalyticsDossierAnsweredV1:
    """Tell what is held of a person."""
    return AnalyticsDossierAnsweredV1(items=items)
