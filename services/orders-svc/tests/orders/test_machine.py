"""Whatever is done in whatever order: stock and ledger hold."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kantis_contracts.orders import ResponseKind, ResponseWay
from orders_svc.back_orders.usecases import serve_waiting
from orders_svc.catalogue.assortment import create_products, set_substitutes
from orders_svc.catalogue.errors import SoldOut, StockTooLow
from orders_svc.catalogue.schemas import PartIn, ProductIn, ProductKind
from orders_svc.catalogue.stock import move_stock
from orders_svc.fulfilment import usecases as fulfilment
from orders_svc.main import SPEC
from orders_svc.orders.changes import change_lines
from orders_svc.orders.errors import WrongState
from orders_svc.orders.model import OPEN
from orders_svc.orders.schemas import IfShort, Substitutes
from orders_svc.orders.usecases import DraftLine, OrderDraft, lock_order, place_orders
from orders_svc.payments.schemas import PaymentIn
from orders_svc.payments.usecases import take_payment
from orders_svc.people.usecases import take_persons
from orders_svc.responses.usecases import ResponseDraft, register_responses

EXAMPLES, STEPS = 8, 25

STOCK = """
    SELECT on_hand, reserved,
        (SELECT coalesce(sum(quantity), 0) FROM stock_movement m WHERE m.product_id = p.product_id),
        (SELECT coalesce(sum(quantity), 0) FROM reservation r
         WHERE r.product_id = p.product_id AND r.state = 'held'),
        (SELECT coalesce(sum(l.quantity), 0) FROM order_line l JOIN sales_order o USING (order_id)
         WHERE l.product_id = p.product_id AND o.state IN ('placed', 'picking')),
        awaited,
        (SELECT coalesce(sum(quantity), 0) FROM reservation r
         WHERE r.product_id = p.product_id AND r.state = 'waiting'),
        (SELECT coalesce(sum(l.quantity), 0) FROM order_line l JOIN sales_order o USING (order_id)
         WHERE l.product_id = p.product_id AND o.state = 'waiting'),
        (SELECT coalesce(sum(on_hand), 0) FROM stock s WHERE s.product_id = p.product_id)
    FROM product p WHERE product_id = $1
"""
UNBALANCED = """
    SELECT count(*) FROM (
        SELECT transaction_id, currency FROM posting GROUP BY 1, 2 HAVING sum(amount_minor) <> 0
    ) AS wrong
"""
WRONG_INVOICES = """
    SELECT count(*) FROM invoice i WHERE total_minor - paid_minor <> (
        SELECT coalesce(sum(amount_minor), 0) FROM posting p
        WHERE p.invoice_id = i.invoice_id AND p.account = 'receivables')
      OR paid_minor <> (
        SELECT coalesce(sum(applied_minor), 0) FROM payment p WHERE p.invoice_id = i.invoice_id)
"""
CREDIT = """
    SELECT coalesce((SELECT -sum(amount_minor) FROM posting WHERE account = 'customer_credit'), 0),
        coalesce((SELECT sum(credit_minor) FROM payment), 0)
"""
ANSWERED = "SELECT order_id FROM response WHERE response_id = $1"
PRODUCTS = "SELECT count(*) FROM product"
NUMBERS = "SELECT count(*), coalesce(max(series_number), 0) FROM invoice"
PAID = """
    SELECT count(*) FROM sales_order o LEFT JOIN invoice i USING (order_id)
    WHERE o.is_paid IS DISTINCT FROM coalesce(i.paid_minor = i.total_minor, false)
"""


async def change(tx: Any, order_id: UUID, goods: Any) -> Any:
    return await change_lines(tx, await lock_order(tx, order_id), goods)


class Shop(RuleBasedStateMachine):
    """One life of a shop beside a model of what should be: a thing, two of it as a bundle, and what is sent instead."""

    world: Any

    def __init__(self) -> None:
        super().__init__()
        self.on_hand: Counter[UUID] = Counter()
        self.orders: dict[UUID, dict[str, Any]] = {}
        self.answers: list[tuple[UUID, int]] = []

    def taken(self, product_id: UUID, *states: str) -> int:
        return sum(o["goods"][product_id] for o in self.orders.values() if o["state"] in states)

    def unreserved(self, product_id: UUID) -> int:
        return self.on_hand[product_id] - self.taken(product_id, "placed", "picking")

    def available(self, product_id: UUID) -> int:
        return max(0, self.unreserved(product_id) - self.taken(product_id, "waiting"))

    def keep(self, order: Any, state: str, goods: dict[UUID, int]) -> None:
        assert state == order.state
        self.orders[order.order_id] = {
            "goods": Counter(goods),
            "state": state,
            "total": order.total_minor,
            "paid": 0,
        }

    @initialize(stock=st.integers(0, 12), other=st.integers(0, 6), price=st.integers(0, 9_999))
    def open_shop(self, stock: int, other: int, price: int) -> None:
        sku = f"P{self.world.see(PRODUCTS)[0]}"
        thing, instead, pair = self.world.do(
            create_products,
            [
                ProductIn(sku=sku, name="Thing", price_minor=price, initial_stock=stock),
                ProductIn(sku=f"{sku}-X", name="Other", price_minor=price, initial_stock=other),
                ProductIn(
                    sku=f"{sku}-2",
                    name="Two things",
                    price_minor=price,
                    kind=ProductKind.BUNDLE,
                    parts=[PartIn(sku=sku, quantity=2)],
                ),
            ],
        )
        self.world.do(set_substitutes, thing.product_id, [instead.sku])
        self.product_id, self.other_id = thing.product_id, instead.product_id
        self.bundle_id = pair.product_id
        self.on_hand.update({self.product_id: stock, self.other_id: other})

    @rule(quantity=st.integers(-6, 6).filter(bool))
    def move(self, quantity: int) -> None:
        fits = self.unreserved(self.product_id) + quantity >= 0
        try:
            self.world.do(move_stock, self.product_id, quantity=quantity, reason="count")
        except StockTooLow:
            assert not fits
        else:
            assert fits
            self.on_hand[self.product_id] += quantity

    @rule(quantity=st.integers(1, 5))
    def order(self, quantity: int) -> None:
        fits = self.available(self.product_id) >= quantity
        draft = ResponseDraft(
            ResponseKind.ORDER,
            ResponseWay.KEYED,
            person_id=self.world.person.person_id,
            lines=((self.product_id, quantity),),
        )
        (registered,) = self.world.do(register_responses, [draft])
        assert fits == (registered.order is not None)
        if registered.order is not None:
            self.keep(registered.order, "placed", {self.product_id: quantity})
        else:
            self.answers.append((registered.response.response_id, quantity))

    def draft(self, product_id: UUID, quantity: int, **given: Any) -> OrderDraft:
        line = DraftLine(product_id, quantity)
        return OrderDraft(self.world.person.person_id, (line,), **given)

    @rule(quantity=st.integers(1, 5), if_short=st.sampled_from(list(IfShort)))
    def order_as_it_says(self, quantity: int, if_short: IfShort) -> None:
        there = self.available(self.product_id)
        (found,) = self.world.do(
            place_orders, [self.draft(self.product_id, quantity, if_short=if_short)]
        )
        now = quantity if there >= quantity else there if if_short is IfShort.PARTIAL else 0
        if if_short is IfShort.REFUSE and now < quantity:
            assert found.order is None
            return
        parts = [("placed", now), ("waiting", quantity - now)]
        for order, (state, pieces) in zip(found.orders, [p for p in parts if p[1]], strict=True):
            self.keep(order, state, {self.product_id: pieces})

    @rule(quantity=st.integers(1, 3))
    def order_bundle(self, quantity: int) -> None:
        fits = self.available(self.product_id) >= 2 * quantity
        (found,) = self.world.do(
            place_orders, [self.draft(self.bundle_id, quantity, if_short=IfShort.BACK_ORDER)]
        )
        state = "placed" if fits else "waiting"
        self.keep(found.order, state, {self.product_id: 2 * quantity})

    @rule(quantity=st.integers(1, 5))
    def order_with_substitute(self, quantity: int) -> None:
        one = next(
            (p for p in (self.product_id, self.other_id) if self.available(p) >= quantity), None
        )
        (found,) = self.world.do(
            place_orders,
            [self.draft(self.product_id, quantity, substitutes=Substitutes.ALLOW)],
        )
        assert (one is None) == (found.order is None)
        if one is not None:
            self.keep(found.order, "placed", {one: quantity})

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), quantity=st.integers(1, 5))
    def change(self, data: st.DataObject, quantity: int) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.orders)))
        held = self.orders[order_id]
        waits = held["state"] == "waiting"
        own = held["goods"][self.product_id]
        free = self.unreserved(self.product_id) - self.taken(self.product_id, "waiting")
        room = max(0, free + own) if waits else max(0, free) + own
        try:
            order = self.world.do(change, order_id, ((self.product_id, quantity),))
        except WrongState:
            assert held["state"] not in ("waiting", "placed")
        except SoldOut:
            assert held["state"] == "placed"
            assert room < quantity
        else:
            assert waits or room >= quantity
            state = "placed" if room >= quantity else "waiting"
            self.keep(order, state, {self.product_id: quantity})

    @rule()
    def serve(self) -> None:
        """What is free goes to those who wait, in their sequence; then to open answers."""
        left = self.unreserved(self.product_id)
        served = []
        for order_id, order in self.queue():
            if left >= order["goods"][self.product_id]:
                served.append(order_id)
            left -= order["goods"][self.product_id]
        assert sorted(served) == self.world.do(serve_waiting, [self.product_id])
        for order_id in served:
            self.orders[order_id]["state"] = "placed"
        for response_id, quantity in list(self.answers):
            if self.available(self.product_id) >= quantity:
                self.answers.remove((response_id, quantity))
                (order_id,) = self.world.see(ANSWERED, response_id)
                self.keep(
                    self.world.do(lock_order, order_id), "placed", {self.product_id: quantity}
                )

    def queue(self) -> list[tuple[UUID, dict[str, Any]]]:
        """Return who waits in the sequence of their placing: ids are made in it, and the clock stands."""
        return sorted((k, o) for k, o in self.orders.items() if o["state"] == "waiting")

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), step=st.sampled_from(["pick", "ship", "cancel"]))
    def walk(self, data: st.DataObject, step: str) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.orders)))
        order = self.orders[order_id]
        begins, ends = {
            "pick": (("placed",), "picking"),
            "ship": (("picking",), "shipped"),
            "cancel": (("waiting", "placed", "picking"), "cancelled"),
        }[step]
        given = {"tracking": ""} if step == "ship" else {}
        try:
            self.world.do(getattr(fulfilment, f"{step}_order"), order_id, **given)
        except WrongState:
            assert order["state"] not in begins
        else:
            assert order["state"] in begins
            order["state"] = ends
            if ends == "shipped":
                self.on_hand.subtract(order["goods"])

    @precondition(lambda self: any(o["state"] in OPEN for o in self.orders.values()))
    @rule(data=st.data())
    def call_off(self, data: st.DataObject) -> None:
        there = sorted(k for k, o in self.orders.items() if o["state"] in OPEN)
        order_id = data.draw(st.sampled_from(there))
        self.world.do(fulfilment.cancel_order, order_id)
        self.orders[order_id]["state"] = "cancelled"

    @precondition(lambda self: any(o["state"] == "placed" for o in self.orders.values()))
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        placed = sorted(k for k, o in self.orders.items() if o["state"] == "placed")
        order = self.orders[order_id := data.draw(st.sampled_from(placed))]
        self.world.do(fulfilment.pick_order, order_id)
        self.world.do(fulfilment.ship_order, order_id, tracking="")
        order["state"] = "shipped"
        self.on_hand.subtract(order["goods"])

    @precondition(lambda self: any(o["state"] == "shipped" for o in self.orders.values()))
    @rule(data=st.data(), part=st.sampled_from([1, 50, 100, 130]))
    def pay(self, data: st.DataObject, part: int) -> None:
        shipped = sorted(k for k, o in self.orders.items() if o["state"] == "shipped")
        order_id = data.draw(st.sampled_from(shipped))
        order = self.orders[order_id]
        (reference,) = self.world.see("SELECT reference FROM invoice WHERE order_id = $1", order_id)
        total = order["total"]
        amount = max(1, total * part // 100)
        payment = self.world.do(
            take_payment,
            PaymentIn(reference=reference, amount_minor=amount, paid_on="2026-03-09"),
        )
        applied = min(amount, total - order["paid"])
        assert (applied, amount - applied) == (payment.applied_minor, payment.credit_minor)
        order["paid"] += applied

    @rule(amount=st.integers(1, 10_000))
    def pay_for_nobody(self, amount: int) -> None:
        given = PaymentIn(reference="777", amount_minor=amount, paid_on="2026-03-09")
        assert "unmatched" == self.world.do(take_payment, given).state

    @invariant()
    def stock_holds(self) -> None:
        if not hasattr(self, "product_id"):
            return
        for product_id in (self.product_id, self.other_id):
            on_hand, reserved, moved, held, promised, *rest, at_places = self.world.see(
                STOCK, product_id
            )
            assert self.on_hand[product_id] == on_hand == moved == at_places
            assert self.taken(product_id, "placed", "picking") == reserved == held == promised
            assert [self.taken(product_id, "waiting")] * 3 == rest
            assert 0 <= reserved <= on_hand

    @invariant()
    def ledger_holds(self) -> None:
        assert (0,) == self.world.see(UNBALANCED)
        assert (0,) == self.world.see(WRONG_INVOICES)
        assert (0,) == self.world.see(PAID)
        credit, overpaid = self.world.see(CREDIT)
        assert credit == overpaid
        issued, last = self.world.see(NUMBERS)
        assert issued == last


async def test_stock_and_ledger_hold_whatever_is_done_in_whatever_order(rig_for, desk_of, world_of):
    rig = await rig_for(SPEC, start=False)
    async with desk_of(rig) as desk, desk.tx() as tx:
        person = desk.person()
        await take_persons(tx, [person])
    world = world_of(rig, person)
    profile = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    await asyncio.to_thread(
        run_state_machine_as_test, type("Here", (Shop,), {"world": world}), settings=profile
    )

    rows = await desk.rows("SELECT DISTINCT state FROM sales_order")
    assert {("shipped",), ("cancelled",)} <= set(rows), "it has not come far enough to prove much"
