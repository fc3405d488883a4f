"""Shapes of recommendations."""

from uuid import UUID

from kantis_kit.web.schemas import Out


class AlsoBoughtOut(Out):
    """A product that buyers of another one also bought: `lift` times as often as all buyers did."""

    product_id: UUID
    sku: str
    name: str
    price_minor: int
    currency: str
    available: int
    lift: float
    buyers: int


class AlsoBoughtList(Out):
    """What buyers of a product also bought and can be bought now, the strongest first."""

    items: list[AlsoBoughtOut]
