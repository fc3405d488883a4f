"""What leaves the service about erasures."""

from kantis_contracts.messaging import MessagingDossierAnsweredV1, MessagingErasureCompletedV1
from kantis_contracts.privacy import DossierPart, ErasureReceipt


def completed(items: tuple[ErasureReceipt, ...]) -> MessagingErasureCompletedV1:
    """Say what was forgotten, and what stays and why."""
    return MessagingErasureCompletedV1(items=items)


def answered(items: tuple[DossierPart, ...]) -> MessagingDossierAnsweredV1:
    """Tell what is held of a person."""
    return MessagingDossierAnsweredV1(items=items)
