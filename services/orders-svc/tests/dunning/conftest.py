"""A desk whose clock can be moved on, and whose debtors live where a test wants them."""

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import DunningChangedV1, NoticeRequestedV1
from kantis_contracts.values import PostalAddress
from orders_svc.dunning import running
from orders_svc.main import SPEC


class Debtors:
    """Who owes, and what happens to them from day to day."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.products: dict[str, Any] = {}

    async def owes(self, code: str = "ABCDE2", country: str = "NO", currency: str = "NOK") -> Any:
        """Return an invoice of 249.00 that is due on 16 March 2026."""
        if currency not in self.products:
            sku = f"BLANKET-{currency}"
            self.products[currency] = await self.desk.product(99, sku=sku, currency=currency)
        address = PostalAddress(street="Storgata 9", postal_code="0155", city="By", country=country)
        person = self.desk.person(country=country, address=address)
        await self.desk.rig.publish(
            PersonChangedV1(items=(person,)),
            self.desk.piece(person, self.products[currency], code),
        )
        await self.desk.drain()
        answer = await self.desk.order(code=code)
        return await self.desk.ship(answer["order_id"])

    async def on(self, year: int, month: int, day: int) -> None:
        """Let it be noon of a day, and let the round of this day be over."""
        self.desk.rig.clock.set(datetime(year, month, day, 12, tzinfo=UTC))
        async with self.desk.tx() as tx:
            await running.begin(tx)
        await self.desk.drain()
        self.desk.client.headers["Authorization"] = (
            f"Bearer {self.desk.rig.token('orders')}"  # the token of before has ended
        )

    async def case(self, invoice: Any) -> Any:
        return await self.desk.get(f"/v1/invoices/{invoice['invoice_id']}/dunning")

    async def take(self, invoice: Any, step: str, **given: Any) -> Any:
        return await self.desk.client.post(
            f"/v1/invoices/{invoice['invoice_id']}/dunning", json={"step": step, **given}
        )

    async def preview(self, day: date) -> list[Any]:
        return (await self.desk.get("/v1/dunning/preview", on=str(day)))["items"]

    def told(self) -> list[Any]:
        """Return what debtors were told, in sequence."""
        notices = {one.notice_id: one for one in self.desk.rig.items(NoticeRequestedV1)}
        kinds = ("payment_reminder", "collection_warning")
        return [notices[key] for key in sorted(notices) if notices[key].kind in kinds]

    def changes(self) -> list[Any]:
        return sorted(
            {one.version: one for one in self.desk.rig.items(DunningChangedV1)}.values(),
            key=lambda one: one.version,
        )


@pytest.fixture
def house(rig_for, desk_of):
    """Open a desk with settings of one's own."""

    @asynccontextmanager
    async def make(**settings: Any):
        rig = await rig_for(SPEC, settings={"orders": {"pool_size": 10, **settings}})
        async with desk_of(rig) as desk:
            yield Debtors(desk)

    return make
