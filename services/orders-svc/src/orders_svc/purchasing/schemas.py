"""Shapes of purchase suggestions."""

from datetime import date
from uuid import UUID

from kantis_kit.web.schemas import Out


class Suggestion(Out):
    """What to buy of a product, and why so much: `expected` by campaigns, `usual` while the purchase is on its way."""

    product_id: UUID
    sku: str
    name: str
    kind: str
    quantity: int
    order_by: date
    available: int
    awaited: int
    incoming: int
    expected: int
    usual: int
    min_stock: int


class Suggestions(Out):
    """What to buy."""

    items: list[Suggestion]
