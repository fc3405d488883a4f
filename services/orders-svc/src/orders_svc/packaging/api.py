"""Packing rules over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from orders_svc.orders.queries import get_order
from orders_svc.packaging import queries, usecases
from orders_svc.packaging.schemas import MaterialList, MaterialOut, RuleIn, RuleOut

rules = Router(prefix="/v1/products/packing-rules", tags=["packing"])
orders = Router(prefix="/v1/orders", tags=["packing"])


@rules.post("", policy=needs("orders:write"), status_code=201)
async def make_rule(body: RuleIn, tx: Write) -> RuleOut:
    """Say which material goes into which orders."""
    return RuleOut.model_validate(await usecases.make_rule(tx, body))


@rules.get("", policy=needs("orders:read"))
async def list_rules(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Page[RuleOut]:
    """Return packing rules in the sequence of their making."""
    rows = await queries.list_rules(tx, after=id_after(cursor), limit=limit)
    more = encode_cursor(rows[-1].rule_id) if len(rows) == limit else None
    return Page(items=[RuleOut.model_validate(row) for row in rows], next_cursor=more)


@rules.put("/{rule_id}", policy=needs("orders:write"))
async def replace_rule(rule_id: UUID, body: RuleIn, tx: Write) -> RuleOut:
    """Let a packing rule say something else from now on; to end it, make it inactive."""
    return RuleOut.model_validate(await usecases.replace_rule(tx, rule_id, body))


@orders.get("/{order_id}/packing", policy=needs("orders:read"))
async def show_packing(order_id: UUID, tx: Read) -> MaterialList:
    """Return what the rules want in an order besides its goods."""
    await get_order(tx, order_id)
    found = (await queries.packing_for(tx, [order_id])).get(order_id, [])
    return MaterialList(items=[MaterialOut.model_validate(one) for one in found])
