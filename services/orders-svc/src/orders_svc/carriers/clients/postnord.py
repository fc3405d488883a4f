"""PostNord's booking: an instruction as EDI in JSON, answered with item ids.

Source: developer.postnord.com, Booking API v3 (`/rest/shipment/v3/edi`), read 2026-11.
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

_ISSUERS = {"DK": "Z11", "SE": "Z12", "NO": "Z13", "FI": "Z14"}
_CUSTOMER_NUMBER = "160"
_KILOGRAMS = "KGM"


class PostNord:
    """The adapter of PostNord."""

    name = "postnord"

    def __init__(self, settings: OrdersSettings) -> None:
        self._settings = settings

    @property
    def is_set_up(self) -> bool:
        """Say whether there is an agreement to book with."""
        return bool(self._settings.postnord_customer)

    def request(self, consignment: Consignment) -> Request:
        """Return the request that books a parcel."""
        settings, at = self._settings, consignment.at.isoformat(timespec="seconds")
        weight = {"value": consignment.kilograms, "unit": _KILOGRAMS}
        key = settings.postnord_key.get_secret_value()
        return Request(
            f"{settings.postnord_url.rstrip('/')}/rest/shipment/v3/edi?apikey={key}",
            {
                "messageDate": at,
                "messageFunction": "Instruction",
                "messageId": consignment.code,
                "updateIndicator": "Original",
                "testIndicator": settings.carriers_test,
                "shipment": [
                    {
                        "shipmentIdentification": {"shipmentId": "0"},
                        "dateAndTimes": {"loadingDate": at},
                        "service": {
                            "basicServiceCode": consignment.service,
                            "additionalServiceCode": [],
                        },
                        "numberOfPackages": {"value": 1},
                        "totalGrossWeight": weight,
                        "references": [
                            {"referenceNo": consignment.order_number, "referenceType": "CU"}
                        ],
                        "parties": {
                            "consignor": {
                                "issuerCode": _ISSUERS.get(consignment.sender.country, "Z12"),
                                "partyIdentification": {
                                    "partyId": settings.postnord_customer,
                                    "partyIdType": _CUSTOMER_NUMBER,
                                },
                                "party": _party(consignment.sender),
                            },
                            "consignee": {"party": _party(consignment.recipient)},
                        },
                        "goodsItem": [
                            {
                                "packageTypeCode": "PC",
                                "items": [
                                    {
                                        "itemIdentification": {
                                            "itemId": consignment.code,
                                            "itemIdType": "SSCC",
                                        },
                                        "grossWeight": weight,
                                    }
                                ],
                            }
                        ],
                    }
                ],
            },
            {"Accept": "application/json"},
        )

    def booked(self, status: int, body: bytes) -> str:
        """Return the id of the item. Raises `BookingRefused` or `TryLater`."""
        answer = answer_of(status, body)
        state = at_path(answer, "idInformation", 0, "status")
        if state != "OK":
            fault = at_path(answer, "compositeFault", "faults", 0, "explanationText")
            raise BookingRefused(f"{state}: {fault}")
        return number_at(answer, "idInformation", 0, "ids", 0, "value")


def _party(party: Party) -> dict[str, Any]:
    return {
        "nameIdentification": {"name": party.name},
        "address": {
            "streets": party.street.splitlines(),
            "postalCode": party.postal_code.replace(" ", ""),
            "city": party.city,
            "countryCode": party.country,
        },
    }
