"""Keep packing rules, and take material from the shelf when orders are packed."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.catalogue.model import StockMovement
from orders_svc.catalogue.queries import find_by_sku
from orders_svc.catalogue.schemas import ProductKind
from orders_svc.catalogue.usecases import lock_products, tell
from orders_svc.packaging.errors import RuleNotFound
from orders_svc.packaging.model import Packing, PackingRule
from orders_svc.packaging.queries import Material, packing_for
from orders_svc.packaging.schemas import RuleIn


async def make_rule(tx: Tx, given: RuleIn) -> PackingRule:
    """Make a packing rule. Raises `Invalid` when its material or its product is not what it must be."""
    rule = PackingRule(rule_id=new_id(), **await _values(tx, given))
    tx.add(rule)
    return rule


async def replace_rule(tx: Tx, rule_id: UUID, given: RuleIn) -> PackingRule:
    """Let a rule say something else from now on.

    Raises:
        RuleNotFound: no rule has this id.
        Invalid: its material or its product is not what it must be.
    """
    rule: PackingRule | None = await tx.scalar(
        select(PackingRule).where(col(PackingRule.rule_id) == rule_id).with_for_update()
    )
    if rule is None:
        raise RuleNotFound(f"No packing rule has the id {rule_id}")
    for name, value in (await _values(tx, given)).items():
        setattr(rule, name, value)
    return rule


async def take_material(tx: Tx, order_ids: Iterable[UUID]) -> dict[UUID, list[Material]]:
    """Take what the rules want in these orders from the shelf, once per order; return what was taken for each.

    What the shelf does not have stops no parcel: the rest is noted as short and shows in the purchase suggestions.
    """
    wanted = await packing_for(tx, order_ids)
    fresh = await _note(tx, wanted)
    products = await lock_products(tx, {material for _, material in fresh})
    taken: dict[UUID, list[Material]] = {}
    short = []
    for order_id, materials in wanted.items():
        for one in materials:
            if (order_id, one.product_id) not in fresh:
                continue
            product = products[one.product_id]
            there = min(one.quantity, product.unreserved)
            taken.setdefault(order_id, []).append(
                Material(one.product_id, one.sku, one.name, there)
            )
            if there < one.quantity:
                short.append((order_id, one, there))
            if there:
                product.on_hand -= there
                product.version += 1
                tx.add(
                    StockMovement(
                        movement_id=new_id(),
                        product_id=one.product_id,
                        quantity=-there,
                        reason="packed",
                        order_id=order_id,
                        moved_at=tx.clock.now(),
                    )
                )
    await _note_shortage(tx, short)
    await tell(tx, list(products.values()))
    return taken


async def _note(tx: Tx, wanted: dict[UUID, list[Material]]) -> set[tuple[UUID, UUID]]:
    """Write down what goes into orders; what stood there already is not taken twice."""
    rows = [
        {
            "order_id": order_id,
            "material_id": one.product_id,
            "quantity": one.quantity,
            "short": 0,
            "packed_at": tx.clock.now(),
        }
        for order_id, materials in sorted(wanted.items())
        for one in materials
    ]
    if not rows:
        return set()
    made = await tx.execute(
        insert(Packing)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(col(Packing.order_id), col(Packing.material_id))
    )
    return {(row.order_id, row.material_id) for row in made}


async def _note_shortage(tx: Tx, short: list[tuple[UUID, Material, int]]) -> None:
    for order_id, one, there in short:
        row = await tx.get(Packing, (order_id, one.product_id))
        assert row is not None  # noqa: S101 - written above, in this transaction
        row.quantity, row.short = there, one.quantity - there


async def _values(tx: Tx, given: RuleIn) -> dict[str, Any]:
    known = await find_by_sku(tx, {one for one in (given.material, given.product) if one})
    material = known.get(given.material)
    if material is None or material.kind != ProductKind.MATERIAL:
        raise _refusal("material", f"{given.material} is no product of the kind material")
    product = known.get(given.product) if given.product else None
    if given.product and product is None:
        raise _refusal("product", f"no product has the sku {given.product}")
    return {
        **given.model_dump(exclude={"material", "product", "per"}),
        "per": given.per.value,
        "material_id": material.product_id,
        "product_id": product.product_id if product else None,
    }


def _refusal(field: str, message: str) -> Invalid:
    return Invalid(
        f"{field}: {message}", errors=[{"in": "body", "field": field, "message": message}]
    )
