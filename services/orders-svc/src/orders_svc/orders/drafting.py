"""From what somebody wants to the lines of an order: prices and VAT of the day, parts of bundles, substitutes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from kantis_kit.calendar import date_in
from kantis_kit.tx import ReadTx
from orders_svc.catalogue.model import BundlePart, Product
from orders_svc.catalogue.queries import find_products, parts_of, substitutes_of
from orders_svc.catalogue.schemas import ProductKind
from orders_svc.orders.model import OrderLine
from orders_svc.orders.schemas import IfShort, Substitutes
from orders_svc.people.model import Person
from orders_svc.prices.errors import NotSoldIn
from orders_svc.prices.queries import Prices, prices_on
from orders_svc.settings import OrdersSettings
from orders_svc.vat.queries import Rates, rates_on
from orders_svc.vat.schemas import VatClass


@dataclass(frozen=True, slots=True)
class DraftLine:
    """Goods that are wanted; without a price, that of the day holds."""

    product_id: UUID
    quantity: int
    unit_price_minor: int | None = None
    wanted_id: UUID | None = None
    """What was asked for, when this is sent instead."""


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order that somebody wants to place; its goods have one currency, that of the first without another word."""

    person_id: UUID
    lines: tuple[DraftLine, ...]
    response_id: UUID | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    ship_to: dict[str, Any] | None = None
    merged_id: UUID | None = None
    currency: str | None = None
    if_short: IfShort = IfShort.REFUSE
    substitutes: Substitutes = Substitutes.NEVER
    external_id: str | None = None


@dataclass(slots=True)
class Terms:
    """What holds for some drafts today, and what is left for them."""

    products: dict[UUID, Product]
    parts: dict[UUID, list[BundlePart]]
    instead: dict[UUID, list[UUID]]
    prices: Prices
    rates: Rates
    left: dict[UUID, int] = field(default_factory=dict)
    """What is free of each product, less what drafts before took."""

    def currency_of(self, draft: OrderDraft) -> str:
        """Return the currency of an order."""
        return draft.currency or self.products[draft.lines[0].product_id].currency

    def goods(self, line: DraftLine) -> dict[UUID, int]:
        """Return what a line takes from the shelves: itself, or the parts of a bundle."""
        parts = self.parts.get(line.product_id)
        if parts is None:
            return {line.product_id: line.quantity}
        return {part.product_id: part.quantity * line.quantity for part in parts}

    def wanted(self, lines: Iterable[DraftLine]) -> dict[UUID, int]:
        """Return what lines take from the shelves together."""
        sums: dict[UUID, int] = {}
        for line in lines:
            for product_id, quantity in self.goods(line).items():
                sums[product_id] = sums.get(product_id, 0) + quantity
        return sums

    def free(self, product_id: UUID) -> int:
        """Return what is left of a product."""
        known = self.products.get(product_id)
        return self.left.get(product_id, known.available if known else 0)

    def short(self, lines: Iterable[DraftLine]) -> dict[UUID, int]:
        """Return what is left of the goods of which lines want more."""
        return {
            one: self.free(one)
            for one, quantity in self.wanted(lines).items()
            if self.free(one) < quantity
        }

    def take(self, lines: Iterable[DraftLine]) -> None:
        """Leave less for the drafts that follow."""
        for one, quantity in self.wanted(lines).items():
            self.left[one] = self.free(one) - quantity

    def refresh(self, products: Mapping[UUID, Product]) -> None:
        """Reckon with what is there now."""
        self.products.update(products)
        self.left.clear()


async def read_terms(
    tx: ReadTx, drafts: Sequence[OrderDraft], persons: Mapping[UUID, Person]
) -> Terms:
    """Return what holds today for the goods of these drafts, where they go."""
    home = tx.settings(OrdersSettings).company_country
    products = await find_products(
        tx, [line.product_id for draft in drafts for line in draft.lines]
    )
    bundles = [one for one, product in products.items() if product.kind == ProductKind.BUNDLE]
    parts = await parts_of(tx, bundles)
    flexible = {
        line.product_id
        for draft in drafts
        for line in draft.lines
        if draft.substitutes is not Substitutes.NEVER
    }
    instead = await substitutes_of(tx, flexible)
    more = {part.product_id for one in parts.values() for part in one}
    more |= {other for others in instead.values() for other in others}
    if more - products.keys():
        products |= await find_products(tx, more - products.keys())
    today = date_in(tx.clock.now(), home)
    countries = {country_of(draft, persons.get(draft.person_id), home) for draft in drafts}
    return Terms(
        products,
        parts,
        instead,
        await prices_on(tx, today, products.values()),
        await rates_on(tx, today, countries, home=home),
    )


def country_of(draft: OrderDraft, person: Person | None, home: str) -> str:
    """Return where the goods of an order go: its VAT is that of there."""
    if draft.ship_to and draft.ship_to.get("country"):
        return str(draft.ship_to["country"])
    return (person.address_country or person.country if person else "") or home


def with_substitutes(draft: OrderDraft, terms: Terms) -> OrderDraft:
    """Return the draft with other goods for those that are short, as far as there are any; never at a higher price."""
    lines = []
    for line in draft.lines:
        others = terms.instead.get(line.product_id, ())
        is_short = terms.short([line]).keys() & {line.product_id}
        other = next((one for one in others if terms.free(one) >= line.quantity), None)
        if not is_short or other is None:
            lines.append(line)
            continue
        agreed = _price(line, terms, terms.currency_of(draft))
        price = min(agreed, _price(DraftLine(other, 1), terms, terms.currency_of(draft)))
        lines.append(DraftLine(other, line.quantity, price, wanted_id=line.product_id))
    return replace(draft, lines=tuple(lines))


def divide(draft: OrderDraft, terms: Terms) -> tuple[OrderDraft | None, OrderDraft | None]:
    """Return what of a draft can go now, and what has to wait; in the sequence of its lines."""
    left = {one: terms.free(one) for one in terms.wanted(draft.lines)}
    now, later = [], []
    for line in draft.lines:
        per_piece = terms.goods(replace(line, quantity=1))
        most = min(max(0, left[one]) // quantity for one, quantity in per_piece.items())
        there = min(line.quantity, most)
        for one, quantity in per_piece.items():
            left[one] -= there * quantity
        if there:
            now.append(replace(line, quantity=there))
        if there < line.quantity:
            later.append(replace(line, quantity=line.quantity - there))
    return (
        replace(draft, lines=tuple(now)) if now else None,
        replace(draft, lines=tuple(later)) if later else None,
    )


def make_lines(order_id: UUID, draft: OrderDraft, country: str, terms: Terms) -> list[OrderLine]:
    """Return the lines of an order; a bundle is sold as its parts, each at its share of the bundle's price."""
    currency = terms.currency_of(draft)
    made: list[OrderLine] = []

    def add(
        product_id: UUID,
        quantity: int,
        price: int,
        *,
        wanted_id: UUID | None,
        bundle_id: UUID | None = None,
    ) -> None:
        product = terms.products[product_id]
        is_fixed = product.vat_class == VatClass.FIXED
        made.append(
            OrderLine(
                order_id=order_id,
                line_no=len(made) + 1,
                product_id=product_id,
                sku=product.sku,
                name=product.name,
                quantity=quantity,
                unit_price_minor=price,
                vat_pct=product.vat_pct if is_fixed else terms.rates.of(product.vat_class, country),
                amount_minor=price * quantity,
                wanted_id=wanted_id,
                bundle_id=bundle_id,
            )
        )

    for line in draft.lines:
        price = _price(line, terms, currency)
        parts = terms.parts.get(line.product_id)
        if parts is None:
            add(line.product_id, line.quantity, price, wanted_id=line.wanted_id)
            continue
        for part, share in zip(parts, _shares(price, parts, terms, currency), strict=True):
            each, odd = divmod(share, part.quantity)
            for pieces, amount in ((part.quantity - odd, each), (odd, each + 1)):
                if pieces:
                    add(
                        part.product_id,
                        pieces * line.quantity,
                        amount,
                        bundle_id=line.product_id,
                        wanted_id=line.wanted_id,
                    )
    return made


def _price(line: DraftLine, terms: Terms, currency: str) -> int:
    if line.unit_price_minor is not None:
        return line.unit_price_minor
    return terms.prices.of(terms.products[line.product_id], currency)


def _shares(
    price_minor: int, parts: Sequence[BundlePart], terms: Terms, currency: str
) -> list[int]:
    """Divide a bundle's price by what its parts cost alone, without losing a unit."""
    weights = []
    for part in parts:
        try:
            alone = terms.prices.of(terms.products[part.product_id], currency)
        except NotSoldIn:
            alone = terms.products[part.product_id].price_minor
        weights.append(alone * part.quantity)
    if not sum(weights):
        weights = [part.quantity for part in parts]
    shares, given, weighed = [], 0, 0
    for weight in weights:
        weighed += weight
        upto = price_minor * weighed // sum(weights)
        shares.append(upto - given)
        given = upto
    return shares
