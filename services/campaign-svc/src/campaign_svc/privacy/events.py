"""What leaves the service about erasures."""

from kantis_contracts.campaign import CampaignDossierAnsweredV1, CampaignErasureCompletedV1
from kantis_contracts.privacy import DossierPart, ErasureReceipt


def completed(items: tuple[ErasureReceipt, ...]) -> CampaignErasureCompletedV1:
    """Say what was forgotten, and what stays and why."""
    return CampaignErasureCompletedV1(items=items)


def answered(items: tuple[DossierPart, ...]) -> CampaignDossierAnsweredV1:
    """Tell what is held of a person."""
    return CampaignDossierAnsweredV1(items=items)
