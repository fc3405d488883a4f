"""Many plain orders in one transaction: one look and one statement, however many they are.

Plain is an order of somebody without terms of their own, for goods that are there and are no part of a bundle. It is
planned, priced and told by the same code as every other one; about those that are not plain nothing is done but said so,
and they go the long way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from asyncpg.exceptions import DivisionByZeroError

from kantis_contracts.orders import ProductChangedV1
from kantis_kit.calendar import date_in
from kantis_kit.errors import AppError
from kantis_kit.groups import Statements
from kantis_kit.ids import new_id
from kantis_kit.web.deps import etag
from orders_svc.catalogue.model import Product
from orders_svc.checkout.sql import LOOK, PLACE, PRODUCTS_PER_EVENT
from orders_svc.checkout.usecases import draft_of
from orders_svc.orders import events
from orders_svc.orders.drafting import Terms, country_of
from orders_svc.orders.model import OrderLine, OrderState, SalesOrder
from orders_svc.orders.queries import show_with
from orders_svc.orders.schemas import OrderIn, PlacedOut
from orders_svc.orders.usecases import draft_order, language_of, wants_of
from orders_svc.people.model import Person
from orders_svc.prices.queries import Prices
from orders_svc.settings import OrdersSettings
from orders_svc.vat.queries import Rates

ROUTE = "POST /v1/orders"


class GoneMeanwhile(Exception):
    """Goods that were there when the group looked went to others before it wrote."""


@dataclass(frozen=True, slots=True)
class Key:
    """The idempotency key of a post, and what a repeated one must be the same in."""

    caller: str
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Post:
    """An order as it came."""

    body: OrderIn
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, and stored beside its effect."""

    headers: dict[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class _Placed:
    post: Post
    order: SalesOrder
    lines: list[OrderLine]
    answer: Answer


async def place_together(tx: Statements, posts: Sequence[Post]) -> list[Answer | None]:
    """Place what is plain, and return the answer to each; None for one that goes the long way.

    First come first served: who comes later gets nothing of what somebody before has taken. Two with one key, or one id of
    their shop, are not placed together.

    Raises:
        GoneMeanwhile: goods went to others in the meantime; nothing is written.
    """
    seen = await _look(tx, posts)
    placed: list[_Placed | None] = []
    for index, post in enumerate(posts):
        placed.append(seen.place(tx, index, post))
    chosen = [one for one in placed if one is not None]
    if chosen:
        await _write(tx, chosen, seen.persons)
    return [None if one is None else one.answer for one in placed]


@dataclass(slots=True)
class _Seen:
    """What a look has found, and what is left of it for those who follow."""

    persons: dict[UUID, Person]
    terms: Terms
    by_sku: dict[str, UUID]
    used: set[str]
    """Ids of shops that have an order, before or in this group."""
    used_keys: set[tuple[str, str]]
    numbers: list[int]
    home: str

    def place(self, tx: Statements, index: int, post: Post) -> _Placed | None:
        """Return the order of a post with its lines and its answer; None when it is not plain."""
        body, key = post.body, post.key
        goods = self._goods(body)
        person = self.persons.get(body.person_id)
        if goods is None or person is None or body.external_id in self.used:
            return None
        if key is not None and (key.caller, key.key) in self.used_keys:
            return None
        draft = draft_of(body, body.person_id, goods)
        if self.terms.short(draft.lines):
            return None
        country = country_of(draft, person, self.home)
        try:
            order, lines = draft_order(tx, draft, OrderState.PLACED, country, self.terms)
        except AppError:
            return None  # refused by the long way, in its words
        order.number = str(self.numbers[index])
        self.terms.take(draft.lines)
        self.used |= {body.external_id} if body.external_id else set()
        self.used_keys |= {(key.caller, key.key)} if key else set()
        return _Placed(post, order, lines, _answer(order, lines))

    def _goods(self, body: OrderIn) -> list[tuple[UUID, int]] | None:
        goods = []
        for line in body.lines:
            product_id = self.by_sku.get(line.sku) if line.sku else line.product_id
            if product_id is None or product_id not in self.terms.products:
                return None
            goods.append((product_id, line.quantity))
        currencies = {self.terms.products[product_id].currency for product_id, _ in goods}
        return goods if body.currency or len(currencies) == 1 else None


async def _look(tx: Statements, posts: Sequence[Post]) -> _Seen:
    bodies = [post.body for post in posts]
    lines = [line for body in bodies for line in body.lines]
    keys = [post.key for post in posts if post.key is not None]
    home = tx.settings(OrdersSettings).company_country
    today = date_in(tx.clock.now(), home)
    (row,) = await tx.look(
        LOOK,
        list({body.person_id for body in bodies}),
        list({line.product_id for line in lines if line.product_id}),
        list({line.sku for line in lines if line.sku}),
        today,
        [body.external_id for body in bodies if body.external_id],
        [one.caller for one in keys],
        [one.key for one in keys],
        ROUTE,
        len(posts),
    )
    persons = [
        Person(**{**one, "person_id": UUID(one["person_id"])}) for one in _read(row["persons"])
    ]
    products = [
        Product(
            **{**one, "product_id": UUID(one["product_id"]), "vat_pct": Decimal(one["vat_pct"])}
        )
        for one in _read(row["products"])
    ]
    prices = {(UUID(one), currency): price for one, currency, price in _read(row["prices"])}
    rates = {(country, name): Decimal(pct) for country, name, pct in _read(row["rates"])}
    known = {one.product_id: one for one in products}
    return _Seen(
        {one.person_id: one for one in persons},
        Terms(known, {}, {}, Prices(today, prices), Rates(home, today, rates)),
        {one.sku: one.product_id for one in products},
        set(row["external_ids"] or ()),
        {(keys[n - 1].caller, keys[n - 1].key) for n in row["used_keys"] or ()},
        row["numbers"],
        home,
    )


def _read(document: str | None) -> list[Any]:
    return orjson.loads(document) if document else []


def _answer(order: SalesOrder, lines: Sequence[OrderLine]) -> Answer:
    shown = PlacedOut(**show_with(order, lines).model_dump())
    headers = {
        "location": f"/v1/orders/{order.order_id}",
        "etag": etag(order.version),
        "content-type": "application/json",
    }
    return Answer(headers, shown.model_dump_json().encode())


async def _write(tx: Statements, placed: Sequence[_Placed], persons: Mapping[UUID, Person]) -> None:
    now = tx.clock.now()
    orders = [one.order for one in placed]
    by_order = {one.order.order_id: one.lines for one in placed}
    lines = [line for one in placed for line in one.lines]
    wants = [want for one in placed for want in wants_of(one.order.order_id, one.lines)]
    taken: dict[UUID, int] = {}
    for want in wants:
        taken[want.product_id] = taken.get(want.product_id, 0) + want.quantity
    keyed = [(one.post.key, one.answer) for one in placed if one.post.key is not None]
    tx.stage(
        events.orders_placed(orders, by_order, now),
        events.notices_requested(
            events.placed_notice(
                order, by_order[order.order_id], language_of(persons[order.person_id]), []
            )
            for order in orders
        ),
    )
    parts = -(-len(taken) // PRODUCTS_PER_EVENT)
    try:
        await tx.put(
            PLACE,
            ROUTE,
            now,
            *_columns(
                5,
                (
                    (key.caller, key.key, key.digest, orjson.dumps(answer.headers).decode(), answer.content)
                    for key, answer in keyed
                ),
            ),
            *_columns(
                8,
                (
                    (one.order_id, one.number, one.person_id, one.total_minor, one.currency, _document(one.ship_to),
                     one.external_id, one.substitutes)
                    for one in orders
                ),
            ),
            *_columns(
                9,
                (
                    (one.order_id, one.line_no, one.product_id, one.sku, one.name, one.quantity, one.unit_price_minor,
                     one.vat_pct, one.amount_minor)
                    for one in lines
                ),
            ),
            *_columns(3, ((want.order_id, want.product_id, want.quantity) for want in wants)),
            *_columns(2, sorted(taken.items())),
            *_columns(9, tx.outbox_rows()),
            [new_id() for _ in range(parts)],
            ProductChangedV1.type,
            PRODUCTS_PER_EVENT,
        )  # fmt: skip
    except DivisionByZeroError as error:
        raise GoneMeanwhile from error


def _columns(count: int, rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    listed = list(rows)
    return [[row[index] for row in listed] for index in range(count)]


def _document(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


__all__ = ["Answer", "GoneMeanwhile", "Key", "Post", "place_together"]
