"""Make products, families of variants and bundles, and say what may be sent instead."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from kantis_kit.calendar import date_in
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.catalogue import queries
from orders_svc.catalogue.errors import SkuTaken, VariantTaken
from orders_svc.catalogue.model import BundlePart, Product, StockMovement, Substitute
from orders_svc.catalogue.schemas import ProductIn, ProductKind, ProductPatch
from orders_svc.catalogue.usecases import lock_products, tell
from orders_svc.settings import OrdersSettings
from orders_svc.vat.queries import Rates, rates_on
from orders_svc.vat.schemas import VatClass


async def create_products(tx: Tx, wanted: Sequence[ProductIn]) -> list[Product]:
    """Make products, with the stock that they begin with; all of them or none.

    Raises:
        SkuTaken: a product has one of the skus already, or it is named twice.
        VariantTaken: the family has a variant with these attributes.
        Invalid: a family or a part is named that is not there, or cannot be one.
    """
    home = tx.settings(OrdersSettings).company_country
    rates = await rates_on(tx, date_in(tx.clock.now(), home), (), home=home)
    ids = {one.sku: new_id() for one in wanted}
    others = {one.family for one in wanted if one.family} | {
        part.sku for one in wanted for part in one.parts
    }
    held = await queries.find_by_sku(tx, others - set(ids)) if others else {}
    kinds = {
        **{sku: ProductKind(one.kind) for sku, one in held.items()},
        **{one.sku: one.kind for one in wanted},
    }
    known = {**{sku: one.product_id for sku, one in held.items()}, **ids}
    for number, one in enumerate(wanted):
        _refuse_strangers(number, one, kinds)
    rows = [_row(one, ids[one.sku], known, rates) for one in wanted]
    # Families before their variants, and goods before what is made of them.
    rows.sort(key=lambda row: row["variant_of"] is not None)
    made = await tx.scalars(
        insert(Product).values(rows).on_conflict_do_nothing().returning(Product)
    )
    products = {product.sku: product for product in made}
    if len(products) < len(wanted):
        await _say_what_is_taken(tx, wanted, set(products))
    result = [products[one.sku] for one in wanted]
    await _set_parts(tx, wanted, known)
    tx.add_all(
        StockMovement(
            movement_id=new_id(),
            product_id=product.product_id,
            quantity=product.on_hand,
            reason="initial stock",
            moved_at=tx.clock.now(),
        )
        for product in result
        if product.on_hand
    )
    await tell(tx, result)
    return result


async def change_product(tx: Tx, product: Product, patch: ProductPatch) -> Product:
    """Change what is said about a product that the caller has locked."""
    changes = patch.model_dump(exclude_none=True)
    for name, value in changes.items():
        setattr(product, name, value)
    if "vat_pct" in changes:
        product.vat_class = VatClass.FIXED.value
    product.version += 1
    await tell(tx, [product])
    return product


async def set_substitutes(tx: Tx, product_id: UUID, skus: Sequence[str]) -> list[Product]:
    """Say what may be sent instead of a product, the best first.

    Raises:
        ProductNotFound: no product has this id.
        Invalid: a sku is of no product with stock in the same currency, or is the product's own.
    """
    product = await queries.get_product(tx, product_id)
    known = await queries.find_by_sku(tx, skus)
    for number, sku in enumerate(skus):
        other = known.get(sku)
        reason = (
            "no product has this sku"
            if other is None
            else "a product is not its own substitute"
            if other.product_id == product_id
            else f"it is sold in {other.currency}, not {product.currency}"
            if other.currency != product.currency
            else "it has no stock of its own"
            if not other.has_stock
            else ""
        )
        if reason:
            raise _refusal(f"skus.{number}", f"{sku}: {reason}")
    named = list(dict.fromkeys(skus))
    await tx.execute(delete(Substitute).where(col(Substitute.product_id) == product_id))
    if named:
        await tx.execute(
            insert(Substitute),
            [
                {"product_id": product_id, "substitute_id": known[sku].product_id, "rank": rank}
                for rank, sku in enumerate(named, 1)
            ],
        )
    return [known[sku] for sku in named]


def _row(
    one: ProductIn, product_id: UUID, known: Mapping[str, UUID], rates: Rates
) -> dict[str, Any]:
    named = VatClass.FIXED if one.vat_pct is not None else VatClass.STANDARD
    vat_class = (one.vat_class or named).value
    return Product(
        product_id=product_id,
        vat_pct=one.vat_pct if one.vat_pct is not None else rates.of(vat_class, rates.home),
        vat_class=vat_class,
        variant_of=known[one.family] if one.family else None,
        on_hand=one.initial_stock,
        kind=one.kind.value,
        **one.model_dump(
            exclude={
                "vat_pct",
                "vat_class",
                "family",
                "parts",
                "initial_stock",
                "kind",
            }
        ),
    ).model_dump()


def _refuse_strangers(number: int, one: ProductIn, kinds: Mapping[str, ProductKind]) -> None:
    if one.family is not None and kinds.get(one.family) is not ProductKind.FAMILY:
        raise _refusal(
            f"products.{number}.family", f"{one.family} is no product of the kind family"
        )
    for place, part in enumerate(one.parts):
        if kinds.get(part.sku) not in (ProductKind.GOODS, ProductKind.MATERIAL):
            where = f"products.{number}.parts.{place}.sku"
            raise _refusal(where, f"{part.sku} is no product with stock of its own")


def _refusal(where: str, message: str) -> Invalid:
    return Invalid(
        f"{where}: {message}", errors=[{"in": "body", "field": where, "message": message}]
    )


async def _say_what_is_taken(tx: Tx, wanted: Sequence[ProductIn], made: set[str]) -> None:
    lost = sorted({one.sku for one in wanted} - made)
    taken = sorted(set(await queries.find_by_sku(tx, lost)) - made)
    if lost and not taken:
        raise VariantTaken(f"Its family has a variant with the same attributes: {', '.join(lost)}")
    names = ", ".join(taken) or "one of them is named twice"
    raise SkuTaken(f"Choose other skus, each once: {names}", skus=taken)


async def _set_parts(tx: Tx, wanted: Sequence[ProductIn], known: Mapping[str, UUID]) -> None:
    parts: list[dict[str, Any]] = [
        {
            "bundle_id": known[one.sku],
            "product_id": known[part.sku],
            "quantity": part.quantity,
        }
        for one in wanted
        for part in one.parts
    ]
    if not parts:
        return
    await tx.execute(insert(BundlePart), parts)
    for product in (await lock_products(tx, [part["product_id"] for part in parts])).values():
        product.is_part = True
