"""Shapes of what is done to an order on its way."""

from pydantic import Field

from kantis_kit.web.schemas import In


class ShipIn(In):
    """How the parcel can be followed."""

    tracking: str = Field(default="", max_length=100)
