"""The response desk: register what people answer, and see to it that something happens.

A response, its order and the goods set aside for it are one transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import null, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_contracts.orders import ResponseKind, ResponseWay
from kantis_kit.db.aliases import resolve
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.aliases import person_alias
from orders_svc.calendar import answer_due_at
from orders_svc.catalogue.errors import SoldOut
from orders_svc.catalogue.model import Product
from orders_svc.catalogue.queries import find_by_sku, find_products
from orders_svc.codes.queries import Resolved, find_codes
from orders_svc.codes.usecases import await_codes
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.queries import get_order
from orders_svc.orders.usecases import DraftLine, OrderDraft, forget_addresses, place_orders
from orders_svc.people.queries import find_persons
from orders_svc.responses import events
from orders_svc.responses.errors import PersonUnknown, ResponseNotFound
from orders_svc.responses.model import NextStep, Response, ResponseState
from orders_svc.responses.schemas import LineIn
from orders_svc.settings import OrdersSettings


@dataclass(frozen=True, slots=True)
class ResponseDraft:
    """An answer that came in; `lines` are pairs of product and quantity."""

    kind: ResponseKind
    way: ResponseWay
    code: str | None = None
    person_id: UUID | None = None
    quantity: int = 1
    lines: tuple[tuple[UUID, int], ...] = ()
    address_correction: dict[str, Any] | None = None
    note: str = ""
    again: bool = False


@dataclass(slots=True)
class Registered:
    """A response and what has become of it at once."""

    response: Response
    is_new: bool = True
    order: SalesOrder | None = None
    available: dict[str, int] = field(default_factory=dict)


async def register_responses(tx: Tx, drafts: Sequence[ResponseDraft]) -> list[Registered]:
    """Register answers, and place the orders among them; one result per draft.

    The same code and kind again gives the first response back, unless the draft says `again`. A code whose piece we
    have not been told of waits as unresolved. Goods that are short leave the response open as a back order.

    Raises:
        PersonUnknown: no card of the person is here, or the person has been erased.
    """
    codes = await _look_up(tx, [draft.code for draft in drafts if draft.code])
    rows = await _rows(tx, drafts, codes)
    inserted = {
        response.response_id: response
        for response in await tx.scalars(
            insert(Response)
            .values(rows)
            .on_conflict_do_nothing(
                index_elements=[col(Response.response_code), col(Response.kind)],
                index_where=~col(Response.is_repeat),
            )
            .returning(Response)
        )
    }
    first = await _first_ones(tx, [row for row in rows if row["response_id"] not in inserted])
    results = [
        Registered(inserted[row["response_id"]])
        if row["response_id"] in inserted
        else Registered(first[(row["response_code"], row["kind"])], is_new=False)
        for row in rows
    ]
    fresh = [one for one in results if one.is_new and one.response.person_id is not None]
    await _order(tx, fresh, codes)
    tx.stage(events.responses_registered(one.response for one in fresh))
    for one in results:
        if not one.is_new and one.response.order_id is not None:
            one.order = await get_order(tx, one.response.order_id)
    return results


async def resolve_responses(tx: Tx, codes: Iterable[str]) -> None:
    """Give responses that were keyed before their pieces were known their person, and place their orders."""
    waiting = list(
        await tx.scalars(
            select(Response)
            .where(
                col(Response.state) == ResponseState.UNRESOLVED.value,
                col(Response.response_code).in_(set(codes)),
            )
            .order_by(col(Response.response_id))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )
    if not waiting:
        return
    known = await find_codes(tx, [one.response_code for one in waiting if one.response_code])
    persons = await find_persons(tx, [code.person_id for code in known.values()])
    found = []
    for response in waiting:
        resolved = known.get(response.response_code or "")
        if resolved is not None:
            response.person_id, response.merged_id = resolved.person_id, resolved.merged_id
            response.piece_id = resolved.piece_id
            response.campaign_id = resolved.campaign_id
            response.cell_id = resolved.cell_id
            person = persons.get(resolved.person_id)
            if person is not None and person.is_erased:
                response.forget(at=tx.clock.now())
                continue
            response.begin(at=tx.clock.now())
            found.append(Registered(response))
    await _order(tx, found, known)
    tx.stage(events.responses_registered(one.response for one in found))


async def answer_response(tx: Tx, response_id: UUID, *, note: str) -> Response:
    """Note the answer that a person got.

    Raises:
        ResponseNotFound: no response has this id.
        AlreadyAnswered: it is answered, unresolved, or its order has yet to ship.
    """
    response = await _lock(tx, response_id)
    response.reply(at=tx.clock.now(), note=note)
    return response


async def answer_orders(tx: Tx, order_ids: Sequence[UUID]) -> None:
    """Note that the responses behind these orders are answered: they have shipped, or were called off."""
    await tx.execute(
        update(Response)
        .where(
            col(Response.order_id).in_(order_ids),
            col(Response.state) == ResponseState.OPEN.value,
        )
        .values(
            state=ResponseState.ANSWERED.value,
            next_step=NextStep.DONE.value,
            answered_at=tx.clock.now(),
        )
    )


async def forget_persons(tx: Tx, person_ids: Sequence[UUID]) -> None:
    """Empty what erased persons wrote; that they answered, and what they bought, stays."""
    # Orders before responses, as when an order ships: so the two never wait for each other in a circle.
    await forget_addresses(tx, person_ids)
    await tx.execute(
        update(Response)
        .where(col(Response.person_id).in_(person_ids))
        .values(note="", answer="", address_correction=null())
    )


async def order_for_response(
    tx: Tx, response_id: UUID, lines: Sequence[tuple[UUID, int]]
) -> Registered:
    """Place the order of a response that waits for goods, or for somebody to choose them.

    Raises:
        ResponseNotFound: no response has this id.
        AlreadyAnswered: no order is to be placed for it.
        SoldOut: there is still too little; nothing has changed.
        Invalid: it is not known what is wanted.
    """
    response = await _lock(tx, response_id)
    response.must_lack_goods()
    if lines:
        response.lines = _stored(lines)
    codes = await find_codes(tx, [response.response_code] if response.response_code else [])
    registered = Registered(response)
    await _order(tx, [registered], codes)
    refuse_shortage(registered)
    if registered.order is None:
        raise Invalid("lines: the piece offered no product, so say which goods are wanted")
    return registered


def refuse_shortage(registered: Registered) -> None:
    """Raise `SoldOut` when goods are short, so that nothing is stored."""
    if registered.available:
        what = ", ".join(f"{sku}: {left}" for sku, left in registered.available.items())
        raise SoldOut(f"Available now: {what}", available=registered.available)


async def goods_of(tx: Tx, lines: Sequence[LineIn]) -> tuple[tuple[UUID, int], ...]:
    """Find the products that lines name.

    Raises:
        Invalid: a line names no product of ours, or the products differ in currency.
    """
    by_sku = await find_by_sku(tx, [line.sku for line in lines if line.sku])
    by_id = await find_products(tx, [line.product_id for line in lines if line.product_id])
    goods: list[tuple[Product, int]] = []
    for number, line in enumerate(lines):
        found = by_sku.get(line.sku) if line.sku else by_id.get(line.product_id or UUID(int=0))
        if found is None:
            where = f"lines.{number}.{'sku' if line.sku else 'product_id'}"
            message = f"no product is named {line.sku or line.product_id}"
            raise Invalid(
                f"{where}: {message}", errors=[{"in": "body", "field": where, "message": message}]
            )
        goods.append((found, line.quantity))
    currencies = sorted({product.currency for product, _ in goods})
    if len(currencies) > 1:
        raise Invalid(f"lines: one order has one currency, not {' and '.join(currencies)}")
    return tuple((product.product_id, quantity) for product, quantity in goods)


async def _look_up(tx: Tx, codes: list[str]) -> dict[str, Resolved]:
    known = await find_codes(tx, codes)
    missing = set(codes) - set(known)
    if missing:
        await await_codes(tx, missing)
        known |= await find_codes(tx, missing)
    return known


async def _rows(
    tx: Tx, drafts: Sequence[ResponseDraft], codes: dict[str, Resolved]
) -> list[dict[str, Any]]:
    now = tx.clock.now()
    resolved = [codes.get(draft.code) if draft.code else None for draft in drafts]
    leads = await resolve(tx, person_alias, [draft.person_id for draft in drafts])
    who = [_who(draft, code, leads) for draft, code in zip(drafts, resolved, strict=True)]
    persons = await find_persons(tx, [one for one, _ in who if one])
    company_country = tx.settings(OrdersSettings).company_country
    rows = []
    for draft, code, (person_id, merged_id) in zip(drafts, resolved, who, strict=True):
        person = persons.get(person_id) if person_id else None
        if (draft.person_id and person is None) or (person and person.is_erased):
            raise PersonUnknown(f"There is no card of the person {person_id} here")
        response = Response(
            response_id=new_id(),
            kind=draft.kind.value,
            way=draft.way.value,
            response_code=draft.code,
            person_id=person_id,
            merged_id=merged_id,
            piece_id=code.piece_id if code else None,
            campaign_id=code.campaign_id if code else None,
            cell_id=code.cell_id if code else None,
            state=ResponseState.UNRESOLVED.value,
            next_step=NextStep.RESOLVE_CODE.value,
            due_at=answer_due_at(now, person.country if person else company_country),
            responded_at=now,
            quantity=draft.quantity,
            lines=_stored(draft.lines),
            address_correction=draft.address_correction,
            note=draft.note,
            is_repeat=draft.again,
        )
        if person_id is not None:
            response.begin(at=now)
        rows.append(response.model_dump())
    return rows


def _who(
    draft: ResponseDraft, code: Resolved | None, leads: Mapping[UUID, UUID]
) -> tuple[UUID | None, UUID | None]:
    """Return who answers, and under which id when that was merged."""
    if draft.person_id is not None and draft.person_id in leads:
        return leads[draft.person_id], draft.person_id
    if draft.person_id or code is None:
        return draft.person_id, None
    return code.person_id, code.merged_id


async def _first_ones(tx: Tx, refused: Sequence[dict[str, Any]]) -> dict[tuple[str, str], Response]:
    if not refused:
        return {}
    names = [(row["response_code"], row["kind"]) for row in refused]
    rows = await tx.scalars(
        select(Response).where(
            tuple_(col(Response.response_code), col(Response.kind)).in_(names),
            ~col(Response.is_repeat),
        )
    )
    return {(one.response_code or "", one.kind): one for one in rows}


async def _order(tx: Tx, fresh: Sequence[Registered], codes: dict[str, Resolved]) -> None:
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


def _stored(lines: Sequence[tuple[UUID, int]]) -> list[dict[str, Any]]:
    return [{"product_id": str(product_id), "quantity": quantity} for product_id, quantity in lines]


async def _lock(tx: Tx, response_id: UUID) -> Response:
    response: Response | None = await tx.scalar(
        select(Response)
        .where(col(Response.response_id) == response_id)
        .with_for_update(key_share=True)
    )
    if response is None:
        raise ResponseNotFound(f"No response has the id {response_id}")
    return response
