"""Shapes of bookings."""

from typing import Literal

from pydantic import ConfigDict, Field

from kantis_kit.web.schemas import In


class BookIn(In):
    """Which carrier takes a parcel, and as what; `file` is for those who want a list."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"carrier": "bring", "service": "5800"}}
    )

    carrier: Literal["bring", "postnord", "posti", "file"]
    service: str = Field(default="", max_length=40)
    again: bool = False
    """Book a parcel anew of which it is unclear whether the carrier knows of it: somebody has asked."""
