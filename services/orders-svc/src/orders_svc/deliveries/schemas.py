"""Shapes of what carriers tell of parcels."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from kantis_kit.web.schemas import In, Instant, Out

MAX_ITEMS = 1_000
Code = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Outcome(StrEnum):
    """What was made of a line."""

    DELIVERED = "delivered"
    KNOWN = "known"
    UNKNOWN = "unknown"
    NOT_YET = "not_yet"
    """It lies in the future, or before the parcel left."""


class DeliveryIn(In):
    """A parcel has arrived: its number, or the carrier's."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"code": "RR473124829NO", "delivered_at": "2026-03-12T14:03:00+01:00"}
        }
    )

    code: Code
    delivered_at: Instant


class DeliveriesIn(In):
    """Parcels that have arrived, as the carrier's tracking tells it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [{"code": "RR473124829NO", "delivered_at": "2026-03-12T14:03:00+01:00"}]
            }
        }
    )

    items: list[DeliveryIn] = Field(min_length=1, max_length=MAX_ITEMS)


class DeliveryOut(Out):
    """What was made of a line."""

    code: str
    outcome: Outcome


class DeliveriesOut(Out):
    """What was made of each line, in their sequence."""

    items: list[DeliveryOut]
