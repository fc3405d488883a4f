"""Bring's Booking API: one consignment per call, an error list instead of a number when it refuses.

Source: developer.bring.com/api/booking, read 2026-11.
"""

from typing import Any

from orders_svc.carriers.clients.port import (
    BookingRefused,
    Consignment,
    Party,
    Request,
    answer_of,
    at_path,
    number_at,
)
from orders_svc.settings import OrdersSettings

_SCHEMA = 1


class Bring:
    """The adapter of Bring."""

    name = "bring"

    def __init__(self, settings: OrdersSettings) -> None:
        self._settings = settings

    @property
    def is_set_up(self) -> bool:
        """Say whether there is an agreement to book with."""
        return bool(self._settings.bring_uid and self._settings.bring_customer)

    def request(self, consignment: Consignment) -> Request:
        """Return the request that books a parcel."""
        settings = self._settings
        return Request(
            f"{settings.bring_url.rstrip('/')}/api/booking",
            {
                "schemaVersion": _SCHEMA,
                "testIndicator": settings.carriers_test,
                "consignments": [
                    {
                        "shippingDateTime": consignment.at.isoformat(timespec="seconds"),
                        "product": {
                            "id": consignment.service,
                            "customerNumber": settings.bring_customer,
                        },
                        "parties": {
                            "sender": _party(consignment.sender, consignment.order_number),
                            "recipient": _party(consignment.recipient, consignment.order_number),
                        },
                        "packages": [
                            {
                                "correlationId": consignment.code,
                                "weightInKg": consignment.kilograms,
                            }
                        ],
                    }
                ],
            },
            {
                "X-Mybring-API-Uid": settings.bring_uid,
                "X-Mybring-API-Key": settings.bring_key.get_secret_value(),
                "Accept": "application/json",
            },
        )

    def booked(self, status: int, body: bytes) -> str:
        """Return the number of the package. Raises `BookingRefused` or `TryLater`."""
        answer = answer_of(status, body)
        errors = at_path(answer, "consignments", 0, "errors")
        if errors:
            code = at_path(errors, 0, "code")
            raise BookingRefused(f"{code}: {at_path(errors, 0, 'messages', 0, 'message')}")
        return number_at(answer, "consignments", 0, "confirmation", "packages", 0, "packageNumber")


def _party(party: Party, reference: str) -> dict[str, Any]:
    return {
        "name": party.name,
        "addressLine": party.street,
        "postalCode": party.postal_code.replace(" ", ""),
        "city": party.city,
        "countryCode": party.country,
        "reference": reference,
    }
