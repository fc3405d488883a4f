"""What a response orders: the goods that it names or that its piece offered, and what was placed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import String, Uuid, column, update
from sqlalchemy.orm.attributes import set_committed_value

from kantis_contracts.orders import ResponseKind
from kantis_kit.db.sets import row_set
from kantis_kit.tx import Tx
from orders_svc.base import table_of
from orders_svc.catalogue.errors import SoldOut
from orders_svc.catalogue.model import Product
from orders_svc.catalogue.queries import find_products
from orders_svc.codes.queries import Resolved
from orders_svc.credit.usecases import hold_above
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.usecases import DraftLine, OrderDraft, place_orders
from orders_svc.responses.model import Response
from orders_svc.responses.schemas import RegisteredOut, ResponseOut


@dataclass(slots=True)
class Registered:
    """A response and what has become of it at once."""

    response: Response
    is_new: bool = True
    order: SalesOrder | None = None
    available: dict[str, int] = field(default_factory=dict)


def shown(registered: Registered) -> RegisteredOut:
    """Return a response as it was registered, for who has sent it."""
    return RegisteredOut(
        **ResponseOut.model_validate(registered.response).model_dump(),
        is_new=registered.is_new,
        order_number=registered.order.number if registered.order else None,
        available=registered.available,
    )


def refuse_shortage(registered: Registered) -> None:
    """Raise `SoldOut` when goods are short, so that nothing is stored."""
    if registered.available:
        what = ", ".join(f"{sku}: {left}" for sku, left in registered.available.items())
        raise SoldOut(f"Available now: {what}", available=registered.available)


async def place(tx: Tx, fresh: Sequence[Registered], codes: dict[str, Resolved]) -> None:
    """Place the orders among responses that have just come; goods that are short leave theirs waiting."""
    wanted = [one for one in fresh if one.response.kind == ResponseKind.ORDER]
    products = await find_products(
        tx, [code.product_id for code in codes.values() if code.product_id]
    )
    ready = []
    for one in wanted:
        lines = _lines(one.response, codes.get(one.response.response_code or ""), products)
        if lines:
            ready.append((one, _draft(one.response, lines)))
    outcomes = await place_orders(tx, [draft for _, draft in ready])
    for (one, _), outcome in zip(ready, outcomes, strict=True):
        one.order, one.available = outcome.order, outcome.available
        one.response.wait_for(outcome.order.order_id if outcome.order else None)
    await _write_steps(tx, [one.response for one, _ in ready])
    await hold_above(tx, [one.order for one in outcomes if one.order is not None])


async def _write_steps(tx: Tx, responses: Sequence[Response]) -> None:
    """Write in one statement what responses wait for."""
    told = row_set(
        "told",
        [column("response_id", Uuid()), column("order_id", Uuid()), column("next_step", String())],
        [(one.response_id, one.order_id, one.next_step) for one in responses],
    )
    for one in responses:
        # Or the session would write each of them by a statement of its own, before ours.
        set_committed_value(one, "order_id", one.order_id)
        set_committed_value(one, "next_step", one.next_step)
    table = table_of(Response)
    await tx.execute(
        update(table)
        .where(table.c.response_id == told.c.response_id)
        .values(order_id=told.c.order_id, next_step=told.c.next_step)
    )


def _lines(
    response: Response, code: Resolved | None, products: dict[UUID, Product]
) -> tuple[DraftLine, ...]:
    offered = products.get(code.product_id) if code and code.product_id else None
    price = code.price_minor if code and offered and code.currency == offered.currency else None
    if not response.lines:
        return (DraftLine(offered.product_id, response.quantity, price),) if offered else ()
    offered_id = offered.product_id if offered else None
    return tuple(
        DraftLine(
            UUID(line["product_id"]),
            line["quantity"],
            price if UUID(line["product_id"]) == offered_id else None,
        )
        for line in response.lines
    )


def _draft(response: Response, lines: tuple[DraftLine, ...]) -> OrderDraft:
    assert response.person_id is not None  # noqa: S101 - an unresolved response is not ordered for
    return OrderDraft(
        person_id=response.person_id,
        lines=lines,
        response_id=response.response_id,
        campaign_id=response.campaign_id,
        cell_id=response.cell_id,
        ship_to=response.address_correction,
        merged_id=response.merged_id,
    )


def stored(lines: Sequence[tuple[UUID, int]]) -> list[dict[str, Any]]:
    """Return lines as a response keeps them."""
    return [{"product_id": str(product_id), "quantity": quantity} for product_id, quantity in lines]
