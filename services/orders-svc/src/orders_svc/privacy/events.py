"""What leaves the service about erasures."""

from kantis_contracts.orders import OrdersDossierAnsweredV1, OrdersErasureCompletedV1
from kantis_contracts.privacy import DossierPart, ErasureReceipt


def completed(items: tuple[ErasureReceipt, ...]) -> OrdersErasureCompletedV1:
    """Say what was forgotten, and what stays and why."""
    return OrdersErasureCompletedV1(items=items)


def answered(items: tuple[DossierPart, ...]) -> OrdersDossierAnsweredV1:
    """Tell what is held of a person."""
    return OrdersDossierAnsweredV1(items=items)
