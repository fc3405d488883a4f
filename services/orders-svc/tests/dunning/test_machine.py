"""Orders, goods, invoices, credits, payments, reversals, reminders and waivers in any order: stock and books hold.

Every step is played on a model of integers beside the service, and after each the two are compared.
"""

import ast
import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
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

import orders_svc
from kantis_kit.ids import new_id
from orders_svc.billing.credit_notes import credit_amounts
from orders_svc.billing.errors import TooMuchCredited
from orders_svc.catalogue.assortment import create_products
from orders_svc.catalogue.errors import SoldOut
from orders_svc.catalogue.schemas import ProductIn
from orders_svc.dunning import running
from orders_svc.dunning.usecases import waive
from orders_svc.fulfilment import usecases as fulfilment
from orders_svc.main import SPEC
from orders_svc.orders.changes import change_lines
from orders_svc.orders.schemas import IfShort
from orders_svc.orders.usecases import DraftLine, OrderDraft, lock_order, place_orders
from orders_svc.payments import usecases as payments
from orders_svc.payments.errors import AlreadyMatched, NotReversible
from orders_svc.payments.schemas import PaymentIn
from orders_svc.people.usecases import take_persons
from orders_svc.returns.errors import NotBought
from orders_svc.returns.schemas import Fate, ScanIn
from orders_svc.returns.usecases import receive_unannounced

RATES = (25, 15)
LIVES, STEPS = 6, 25

STOCK = """
    SELECT on_hand, reserved,
        (SELECT coalesce(sum(quantity), 0) FROM stock_movement m WHERE m.product_id = p.product_id),
        (SELECT coalesce(sum(quantity), 0) FROM reservation r
         WHERE r.product_id = p.product_id AND r.state = 'held')
    FROM product p WHERE product_id = $1
"""
UNBALANCED = """
    SELECT count(*) FROM (
        SELECT FROM posting WHERE transaction_id > $1
        GROUP BY transaction_id, currency HAVING sum(amount_minor) <> 0
    ) AS wrong
"""
SUMS = "SELECT account, sum(amount_minor)::bigint FROM posting WHERE transaction_id > $1 GROUP BY account"
INVOICES = """
    SELECT i.invoice_id, i.total_minor, i.paid_minor, i.credited_minor, o.is_paid,
        (SELECT coalesce(sum(amount_minor), 0)::bigint FROM posting p
         WHERE p.invoice_id = i.invoice_id AND p.account = 'receivables'),
        (SELECT count(*) FROM dunning_step d WHERE d.invoice_id = i.invoice_id)
    FROM invoice i JOIN sales_order o USING (order_id)
    WHERE i.invoice_id = ANY($1)
"""
SHARES = """
    SELECT coalesce(credits_id, i.invoice_id), vat_pct::int,
        sum(CASE kind WHEN 'invoice' THEN v.net_minor ELSE -v.net_minor END)::bigint,
        sum(CASE kind WHEN 'invoice' THEN v.vat_minor ELSE -v.vat_minor END)::bigint
    FROM invoice i JOIN invoice_vat v USING (invoice_id)
    WHERE i.invoice_id = ANY($1) OR credits_id = ANY($1) GROUP BY 1, 2
"""
CLAIMS = """
    SELECT claim_id, invoice_id, rank, claimed_on, amount_minor, amount_minor - paid_minor - waived_minor
    FROM claim WHERE invoice_id = ANY($1) ORDER BY rank, claimed_on, claim_id
"""
NEW_INVOICE = "SELECT invoice_id, reference, number FROM invoice WHERE order_id = $1"
SERIES = """
    SELECT count(*), coalesce(max(series_number), 0) FROM invoice WHERE kind = $1 GROUP BY year
"""


@dataclass
class Owed:
    """An invoice as it should be."""

    order_id: UUID
    reference: str
    total: int
    gross: Counter[int]
    """Per rate what is left of it after credit notes, VAT included."""
    kept: Counter[UUID]
    paid: int = 0
    credited: int = 0
    claims: dict[UUID, list[int]] = field(default_factory=dict)
    """Per claim its rank and what is open, in the sequence in which they are paid."""

    @property
    def open(self) -> int:
        return self.total - self.paid - self.credited

    @property
    def asked(self) -> int:
        return self.open + sum(left for _, left in self.claims.values())

    def pay(self, amount: int) -> tuple[int, dict[UUID, int], int]:
        """Return what goes to the invoice, to claims, and what is too much."""
        left, to_claims = amount, {}

        def take(part: int) -> int:
            nonlocal left
            part = min(left, part)
            left -= part
            return part

        for claim_id, one in self.claims.items():
            if one[0] < 0 and (part := take(one[1])):
                to_claims[claim_id] = part
        principal = take(self.open)
        for claim_id, one in self.claims.items():
            if one[0] >= 0 and (part := take(one[1])):
                to_claims[claim_id] = part
        self.paid += principal
        for claim_id, part in to_claims.items():
            self.claims[claim_id][1] -= part
        return principal, to_claims, left


@dataclass
class Money:
    """A payment as it should be."""

    amount: int
    state: str
    invoice_id: UUID | None = None
    principal: int = 0
    to_claims: dict[UUID, int] = field(default_factory=dict)
    credit: int = 0


async def change(tx: Any, order_id: UUID, goods: Any) -> Any:
    return await change_lines(tx, await lock_order(tx, order_id), goods)


def pick(data: st.DataObject, things: Any) -> Any:
    return data.draw(st.sampled_from(sorted(things)))


class Books(RuleBasedStateMachine):
    """One life of a house that sells two things at two rates of VAT to one customer."""

    world: Any
    begun: Any

    def __init__(self) -> None:
        super().__init__()
        self.since = new_id()
        self.on_hand: Counter[UUID] = Counter()
        self.orders: dict[UUID, Counter[UUID]] = {}
        """What is placed and has not left."""
        self.numbers: dict[UUID, str] = {}
        self.owed: dict[UUID, Owed] = {}
        self.money: dict[UUID, Money] = {}
        self.books: Counter[str] = Counter()
        """Accounts that no invoice explains; credit is negative, as in the ledger."""

    def reserved(self, product_id: UUID) -> int:
        return sum(goods[product_id] for goods in self.orders.values())

    @initialize(prices=st.tuples(st.integers(1, 99_999), st.integers(1, 9_999)))
    def open_house(self, prices: tuple[int, int]) -> None:
        self.world.rig.clock.set(self.begun)
        skus = [f"M-{self.since.hex}-{rate}" for rate in RATES]
        made = self.world.do(
            create_products,
            [
                ProductIn(sku=sku, name="Thing", price_minor=price, vat_pct=rate, initial_stock=12)
                for sku, price, rate in zip(skus, prices, RATES, strict=True)
            ],
        )
        self.goods = {
            one.product_id: (sku, price, rate)
            for one, sku, price, rate in zip(made, skus, prices, RATES, strict=True)
        }
        self.on_hand.update(dict.fromkeys(self.goods, 12))

    def worth(self, goods: Counter[UUID]) -> int:
        return sum(self.goods[one][1] * pieces for one, pieces in goods.items())

    def chosen(self, first: int, second: int) -> Counter[UUID]:
        return +Counter(dict(zip(self.goods, (first, second), strict=True)))

    @rule(first=st.integers(1, 4), second=st.integers(0, 3))
    def order(self, first: int, second: int) -> None:
        self.order_goods(self.chosen(first, second))

    def order_goods(self, goods: Counter[UUID]) -> None:
        fits = all(self.on_hand[p] - self.reserved(p) >= n for p, n in goods.items())
        lines = tuple(DraftLine(p, n) for p, n in goods.items())
        draft = OrderDraft(self.world.person.person_id, lines, if_short=IfShort.REFUSE)
        (found,) = self.world.do(place_orders, [draft])
        assert fits == (found.order is not None)
        if fits:
            assert self.worth(goods) == found.order.total_minor
            self.orders[found.order.order_id] = goods
            self.numbers[found.order.order_id] = found.order.number

    @rule(first=st.integers(1, 4), second=st.integers(0, 3))
    def sell(self, first: int, second: int) -> None:
        """Order and ship at once, so that a life comes as far as to money."""
        before = set(self.orders)
        self.order_goods(self.chosen(first, second))
        for order_id in set(self.orders) - before:
            self.send(order_id)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), first=st.integers(1, 4), second=st.integers(0, 3))
    def change(self, data: st.DataObject, first: int, second: int) -> None:
        order_id, goods = pick(data, self.orders), self.chosen(first, second)
        own = self.orders[order_id]
        fits = all(self.on_hand[p] - self.reserved(p) + own[p] >= n for p, n in goods.items())
        try:
            self.world.do(change, order_id, tuple(goods.items()))
        except SoldOut:
            assert not fits
        else:
            assert fits
            self.orders[order_id] = goods

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def call_off(self, data: st.DataObject) -> None:
        order_id = pick(data, self.orders)
        self.world.do(fulfilment.cancel_order, order_id)
        del self.orders[order_id]

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def ship(self, data: st.DataObject) -> None:
        self.send(pick(data, self.orders))

    def send(self, order_id: UUID) -> None:
        self.world.do(fulfilment.pick_order, order_id)
        self.world.do(fulfilment.ship_order, order_id, tracking="")
        goods = self.orders.pop(order_id)
        self.on_hand.subtract(goods)
        invoice_id, reference, _ = self.world.see(NEW_INVOICE, order_id)
        gross = Counter({self.goods[p][2]: self.goods[p][1] * n for p, n in goods.items()})
        total = self.worth(goods)
        self.owed[invoice_id] = Owed(order_id, reference, total, gross, Counter(goods))

    def credited(self, one: Owed, rate: int, amount: int) -> None:
        one.gross[rate] -= amount
        settled = min(amount, one.open)
        one.credited += settled
        self.books["customer_credit"] -= amount - settled

    @precondition(lambda self: any(+one.kept for one in self.owed.values()))
    @rule(data=st.data(), pieces=st.integers(1, 4), fate=st.sampled_from(list(Fate)))
    def take_back(self, data: st.DataObject, pieces: int, fate: Fate) -> None:
        one = self.owed[pick(data, [key for key, one in self.owed.items() if +one.kept])]
        self.bring_back(one, pick(data, +one.kept), pieces, fate)

    def bring_back(self, one: Owed, product_id: UUID, pieces: int, fate: Fate) -> None:
        sku, price, rate = self.goods[product_id]
        found = [ScanIn(code=sku, quantity=pieces, fate=fate)]
        number = self.numbers[one.order_id]
        try:
            back = self.world.do(receive_unannounced, number, found, reason="")
        except NotBought:
            assert pieces > one.kept[product_id]
        except TooMuchCredited:
            assert price * pieces > one.gross[rate]
        else:
            assert price * pieces == back.refund_minor
            one.kept[product_id] -= pieces
            self.credited(one, rate, price * pieces)
            if fate is Fate.RESTOCK:
                self.on_hand[product_id] += pieces

    @precondition(lambda self: self.owed)
    @rule(data=st.data(), rate=st.sampled_from(RATES), part=st.integers(1, 130))
    def credit(self, data: st.DataObject, rate: int, part: int) -> None:
        invoice_id = pick(data, self.owed)
        one = self.owed[invoice_id]
        amount = max(1, one.gross[rate] * part // 100)
        try:
            self.world.do(credit_amounts, invoice_id, {Decimal(rate): amount}, reason="goodwill")
        except TooMuchCredited:
            assert amount > one.gross[rate]
        else:
            assert amount <= one.gross[rate]
            self.credited(one, rate, amount)

    def book(self, payment: Any, invoice_id: UUID, money: Money) -> None:
        principal, to_claims, credit = self.owed[invoice_id].pay(money.amount)
        money.state, money.invoice_id = "booked", invoice_id
        money.principal, money.to_claims, money.credit = principal, to_claims, credit
        self.books["customer_credit"] -= credit
        told = (payment.state, payment.principal_minor, payment.applied_minor)
        assert ("booked", principal, principal + sum(to_claims.values())) == told
        assert credit == payment.credit_minor

    def send_money(self, reference: str, amount: int) -> Any:
        day = self.world.rig.clock.now().date()
        given = PaymentIn(reference=reference, amount_minor=amount, paid_on=day)
        self.books["bank"] += amount
        return self.world.do(payments.take_payment, given)

    @precondition(lambda self: self.owed)
    @rule(data=st.data(), part=st.sampled_from([1, 50, 100, 130]))
    def pay(self, data: st.DataObject, part: int) -> None:
        invoice_id = pick(data, self.owed)
        one = self.owed[invoice_id]
        money = Money(max(1, (one.asked or one.total) * part // 100), "")
        payment = self.send_money(one.reference, money.amount)
        self.money[payment.payment_id] = money
        self.book(payment, invoice_id, money)

    @rule(amount=st.integers(1, 10_000))
    def pay_for_nobody(self, amount: int) -> None:
        payment = self.send_money("777", amount)
        assert "unmatched" == payment.state
        self.money[payment.payment_id] = Money(amount, "unmatched")
        self.books["unmatched"] -= amount

    @precondition(lambda self: self.money)
    @rule(data=st.data(), way=st.sampled_from(["match", "refund", "credit"]))
    def decide(self, data: st.DataObject, way: str) -> None:
        payment_id = pick(data, self.money)
        money = self.money[payment_id]
        was = money.state
        if way == "match" and not self.owed:
            return
        invoice_id = pick(data, self.owed) if way == "match" else None
        try:
            if invoice_id:
                reference = self.owed[invoice_id].reference
                payment = self.world.do(payments.match_payment, payment_id, reference)
            elif way == "refund":
                payment = self.world.do(payments.refund, payment_id, "not ours")
            else:
                person_id = self.world.person.person_id
                payment = self.world.do(payments.leave_as_credit, payment_id, person_id)
        except AlreadyMatched:
            assert "unmatched" != was
            return
        assert "unmatched" == was
        self.books["unmatched"] += money.amount
        if invoice_id:
            self.book(payment, invoice_id, money)
        elif way == "refund":
            money.state = "refunded"
            self.books["refunds"] -= money.amount
        else:
            money.state, money.credit = "credited", money.amount
            self.books["customer_credit"] -= money.amount
        assert money.state == payment.state

    @precondition(lambda self: self.money)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        self.take_money_back(pick(data, self.money))

    def take_money_back(self, payment_id: UUID) -> None:
        money = self.money[payment_id]
        try:
            self.world.do(payments.reverse_payment, payment_id, "the bank says so")
        except NotReversible:
            assert money.state in ("reversed", "refunded")
            return
        assert money.state in ("booked", "unmatched", "credited")
        self.books["bank"] -= money.amount
        if money.state == "unmatched":
            self.books["unmatched"] += money.amount
        self.books["customer_credit"] += money.credit
        if money.invoice_id:
            one = self.owed[money.invoice_id]
            one.paid -= money.principal
            for claim_id, part in money.to_claims.items():
                one.claims[claim_id][1] += part
        money.state = "reversed"

    @precondition(lambda self: self.owed)
    @rule(days=st.sampled_from([1, 7, 20, 40]))
    def remind(self, days: int) -> None:
        self.world.rig.clock.advance(timedelta(days=days))
        before = {row[0]: row[-1] for row in self.seen_invoices()}
        self.world.do(running.run_page, None)
        taken = {row[0]: row[-1] - before[row[0]] for row in self.seen_invoices()}
        for invoice_id, steps in taken.items():
            assert 0 <= steps <= 1
            assert not steps or self.owed[invoice_id].open, "nobody is reminded who owes nothing"
        for claim_id, invoice_id, rank, _, amount, left in self.seen_claims():
            one = self.owed[invoice_id]
            if claim_id not in one.claims:
                assert taken[invoice_id], "nothing is claimed but by a step"
                assert amount == left > 0
                one.claims[claim_id] = [rank, left]
                self.books["income"] -= amount

    @precondition(lambda self: any(one.claims for one in self.owed.values()))
    @rule(data=st.data())
    def waive(self, data: st.DataObject) -> None:
        invoice_id = pick(data, [key for key, one in self.owed.items() if one.claims])
        one = self.owed[invoice_id]
        open_minor = one.asked - one.open
        assert open_minor == self.world.do(waive, invoice_id)
        for claim in one.claims.values():
            claim[1] = 0
        self.books["income"] += open_minor

    def seen_invoices(self) -> list[tuple[Any, ...]]:
        return self.world.rows(INVOICES, list(self.owed))

    def seen_claims(self) -> list[tuple[Any, ...]]:
        return self.world.rows(CLAIMS, list(self.owed))

    @invariant()
    def stock_holds(self) -> None:
        for product_id in getattr(self, "goods", ()):
            on_hand, reserved, moved, held = self.world.see(STOCK, product_id)
            assert self.on_hand[product_id] == on_hand == moved
            assert self.reserved(product_id) == reserved == held
            assert 0 <= reserved <= on_hand

    @invariant()
    def invoices_hold(self) -> None:
        for invoice_id, *figures, steps in self.seen_invoices():
            one = self.owed[invoice_id]
            is_paid = not one.open and one.paid > 0
            assert [one.total, one.paid, one.credited, is_paid, one.open] == figures
            assert {int, bool} == {type(figure) for figure in (*figures, steps)}
            assert one.paid >= 0
            assert one.open >= 0
        assert {
            claim_id: left
            for one in self.owed.values()
            for claim_id, (_, left) in one.claims.items()
        } == {claim_id: left for claim_id, *_, left in self.seen_claims()}

    @invariant()
    def books_hold(self) -> None:
        assert (0,) == self.world.see(UNBALANCED, self.since)
        net = vat = 0
        for invoice_id, rate, net_minor, vat_minor in self.world.rows(SHARES, list(self.owed)):
            left = self.owed[invoice_id].gross[rate]
            assert left == net_minor + vat_minor
            exact = Fraction(left * rate, 100 + rate)
            assert floor(exact + Fraction(1, 2)) == vat_minor, "rounded once, half up"
            net, vat = net + net_minor, vat + vat_minor
        found = Counter(dict(self.world.rows(SUMS, self.since)))
        found["income"] = found.pop("fee_income", 0) + found.pop("interest_income", 0)
        owed = self.owed.values()
        expected = {
            **self.books,
            "receivables": sum(one.open for one in owed),
            "claims": sum(one.asked - one.open for one in owed),
            "revenue": -net,
            "vat": -vat,
        }
        assert {k: v for k, v in expected.items() if v} == {k: v for k, v in found.items() if v}
        assert 0 == sum(expected.values())

    def teardown(self) -> None:
        """Whoever pays all that is asked for owes nothing; the next life begins without debts of this one.

        Something comes back and a payment is reversed first, for the rules above may not have come to that.
        """
        for one in list(self.owed.values())[:1]:
            for product_id in list(+one.kept)[:1]:
                self.bring_back(one, product_id, 1, Fate.RESTOCK)
        for payment_id in list(self.money)[:1]:
            self.take_money_back(payment_id)
        for invoice_id, one in self.owed.items():
            if one.asked:
                money = Money(one.asked, "")
                payment = self.send_money(one.reference, money.amount)
                self.book(payment, invoice_id, money)
                assert (0, 0) == (one.asked, money.credit)
        self.invoices_hold()
        self.books_hold()


@pytest.mark.parametrize(
    ("lives", "steps"),
    [(LIVES, STEPS), pytest.param(500, 50, marks=[pytest.mark.slow, pytest.mark.timeout(1_800)])],
)
async def test_stock_and_books_hold_whatever_is_sold_returned_paid_and_taken_back(
    rig_for, desk_of, world_of, lives, steps
):
    rig = await rig_for(SPEC, start=False)
    async with desk_of(rig) as desk, desk.tx() as tx:
        person = desk.person()
        await take_persons(tx, [person])
    there = {"world": world_of(rig, person), "begun": rig.clock.now()}
    profile = settings(
        max_examples=lives,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    await asyncio.to_thread(
        run_state_machine_as_test, type("Here", (Books,), there), settings=profile
    )

    async def count(statement: str) -> int:
        return (await desk.rows(statement))[0][0]

    assert await count("SELECT count(*) FROM goods_return"), "nothing came back"
    assert await count("SELECT count(*) FROM payment WHERE is_reversal"), "nothing was taken back"
    if lives > LIVES:
        assert await count("SELECT count(*) FROM claim"), "nobody was asked for more"
    for kind in ("invoice", "credit_note"):
        assert all(issued == last for issued, last in await desk.rows(SERIES, kind))
    for statement in ("UPDATE posting SET amount_minor = 1", "DELETE FROM posting"):
        with pytest.raises(asyncpg.PostgresError, match="append"):
            await desk.rows(statement)


def test_no_amount_is_reckoned_with_in_floats():
    house = Path(orders_svc.__file__).parent
    found = [
        f"{path.relative_to(house)}:{node.lineno}"
        for name in ("billing", "claims", "credit", "dunning", "instalments", "law", "payments")
        for path in (house / name).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]

    assert [] == [one for one in found if not one.startswith("billing/creditable.py")]
