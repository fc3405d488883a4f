"""Read deliveries, and say when goods that are short will be there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.catalogue.model import Product
from orders_svc.incoming.model import Delivery


@dataclass(slots=True)
class Arrivals:
    """What is on its way of some products, and how much of it is spoken for."""

    today: date
    products: Mapping[UUID, Product]
    coming: dict[UUID, list[Delivery]] = field(default_factory=dict)
    ahead: dict[UUID, int] = field(default_factory=dict)
    """How much those who wait already take of what comes, less what lies there free."""

    def promise(self, wanted: Mapping[UUID, int]) -> date | None:
        """Return the day on which all of this will be there for who comes last; None when nobody knows.

        Who asks next stands behind.
        """
        days = [self._day(product_id, quantity) for product_id, quantity in wanted.items()]
        return max((day for day in days if day is not None), default=None) if all(days) else None

    def _day(self, product_id: UUID, quantity: int) -> date | None:
        product = self.products[product_id]
        needed = self.ahead.get(product_id, product.awaited - product.unreserved) + quantity
        self.ahead[product_id] = needed
        if needed <= 0:
            return self.today
        for delivery in self.coming.get(product_id, ()):
            needed -= delivery.outstanding
            if needed <= 0:
                return max(self.today, delivery.expected_on)
        if product.lead_days is None:
            return None
        return self.today + timedelta(days=product.lead_days)


async def arrivals(tx: ReadTx, products: Mapping[UUID, Product], *, today: date) -> Arrivals:
    """Return what is on its way of these products."""
    found = Arrivals(today, products)
    rows = await tx.scalars(
        select(Delivery)
        .where(col(Delivery.product_id).in_(products), col(Delivery.is_closed).is_(False))
        .order_by(col(Delivery.expected_on), col(Delivery.delivery_id))
    )
    for delivery in rows:
        found.coming.setdefault(delivery.product_id, []).append(delivery)
    return found


async def list_deliveries(
    tx: ReadTx, *, product_ids: Iterable[UUID], is_open: bool | None, after: UUID | None, limit: int
) -> list[Delivery]:
    """Return a page of deliveries in the sequence of their entry."""
    statement = select(Delivery).order_by(col(Delivery.delivery_id)).limit(limit)
    wanted = list(product_ids)
    if wanted:
        statement = statement.where(col(Delivery.product_id).in_(wanted))
    if is_open is not None:
        statement = statement.where(col(Delivery.is_closed).is_(not is_open))
    if after is not None:
        statement = statement.where(col(Delivery.delivery_id) > after)
    return list(await tx.scalars(statement))
