"""Shapes of what is done to an order on its way."""

from pydantic import ConfigDict, Field

from kantis_kit.web.schemas import In


class ShipIn(In):
    """How the parcel can be followed."""

    model_config = ConfigDict(json_schema_extra={"example": {"tracking": "RR473124829NO"}})

    tracking: str = Field(default="", max_length=100)
