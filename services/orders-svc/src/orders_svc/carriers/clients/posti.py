"""Posti's SmartShip: a shipment with its parcels, answered with their numbers.

Source: Posti, operating instructions for the SmartShip REST interface, 2016; gateway.posti.fi/shippingapi, read 2026-11.
"""

from typing import Any

from orders_svc.carriers.clients.port import Consignment, Party, Request, answer_of, number_at
from orders_svc.settings import OrdersSettings


class Posti:
    """The adapter of Posti."""

    name = "posti"

    def __init__(self, settings: OrdersSettings) -> None:
        self._settings = settings

    @property
    def is_set_up(self) -> bool:
        """Say whether there is an agreement to book with."""
        return bool(self._settings.posti_customer)

    def request(self, consignment: Consignment) -> Request:
        """Return the request that books a parcel."""
        settings = self._settings
        return Request(
            f"{settings.posti_url.rstrip('/')}/api/v1/shipping/order",
            {
                "shipment": {
                    "orderNo": consignment.order_number,
                    "senderReference": consignment.code,
                    "sender": _party(consignment.sender),
                    "senderPartners": [{"id": "POSTI", "custNo": settings.posti_customer}],
                    "receiver": _party(consignment.recipient),
                    "service": {"id": consignment.service},
                    "parcels": [
                        {
                            "copies": 1,
                            "weight": consignment.kilograms,
                            "reference": consignment.code,
                            "valuePerParcel": True,
                        }
                    ],
                }
            },
            {
                "Authorization": f"Bearer {settings.posti_token.get_secret_value()}",
                "Accept": "application/json",
            },
        )

    def booked(self, status: int, body: bytes) -> str:
        """Return the number of the parcel. Raises `BookingRefused` or `TryLater`."""
        answer = answer_of(status, body)
        first = answer[0] if isinstance(answer, list) and answer else answer
        return number_at(first, "parcels", 0, "parcelNo")


def _party(party: Party) -> dict[str, Any]:
    return {
        "name": party.name,
        "address1": party.street,
        "zipcode": party.postal_code.replace(" ", ""),
        "city": party.city,
        "country": party.country,
    }
