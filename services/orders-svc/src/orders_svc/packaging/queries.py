"""What goes into orders besides their goods."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from kantis_kit.calendar import date_in
from kantis_kit.tx import ReadTx
from orders_svc.packaging.model import PackingRule
from orders_svc.settings import OrdersSettings

_MATERIAL = text(
    """
    WITH parcel AS (
        SELECT o.order_id, o.campaign_id, o.currency, o.total_minor,
            coalesce(nullif(o.ship_to ->> 'country', ''), nullif(p.address_country, ''), p.country, :home) AS country,
            (SELECT sum(quantity) FROM order_line l WHERE l.order_id = o.order_id) AS pieces
        FROM sales_order o LEFT JOIN person p ON p.person_id = o.person_id
        WHERE o.order_id = ANY(cast(:orders AS uuid[]))
    ), fitting AS (
        SELECT parcel.order_id, r.material_id, r.quantity, r.per, r.pieces_per,
            coalesce(own.pieces, parcel.pieces) AS pieces
        FROM parcel JOIN packing_rule r ON r.is_active
        LEFT JOIN LATERAL (
            SELECT sum(l.quantity) AS pieces FROM order_line l JOIN product p USING (product_id)
            WHERE l.order_id = parcel.order_id AND r.product_id IN (l.product_id, l.bundle_id, p.variant_of)
        ) AS own ON r.product_id IS NOT NULL
        WHERE (r.product_id IS NULL OR own.pieces > 0)
          AND (r.countries = '{}' OR parcel.country = ANY(r.countries))
          AND (r.campaign_id IS NULL OR r.campaign_id = parcel.campaign_id)
          AND (r.currency IS NULL OR r.currency = parcel.currency)
          AND (r.min_minor IS NULL OR parcel.total_minor >= r.min_minor)
          AND (r.max_minor IS NULL OR parcel.total_minor <= r.max_minor)
          AND (r.min_pieces IS NULL OR coalesce(own.pieces, parcel.pieces) >= r.min_pieces)
          AND (r.max_pieces IS NULL OR coalesce(own.pieces, parcel.pieces) <= r.max_pieces)
          AND (r.valid_from IS NULL OR r.valid_from <= :today)
          AND (r.valid_until IS NULL OR r.valid_until >= :today)
    )
    SELECT f.order_id, m.product_id, m.sku, m.name,
        sum(f.quantity * CASE f.per WHEN 'piece' THEN ceil(f.pieces::numeric / f.pieces_per) ELSE 1 END)::integer AS quantity
    FROM fitting f JOIN product m ON m.product_id = f.material_id AND m.is_active
    GROUP BY f.order_id, m.product_id, m.sku, m.name
    ORDER BY f.order_id, m.sku
    """
)


@dataclass(frozen=True, slots=True)
class Material:
    """So much of a material for an order."""

    product_id: UUID
    sku: str
    name: str
    quantity: int


async def packing_for(tx: ReadTx, order_ids: Iterable[UUID]) -> dict[UUID, list[Material]]:
    """Return what the rules of today want in each of these orders besides its goods; nothing is taken yet."""
    home = tx.settings(OrdersSettings).company_country
    rows = await tx.execute(
        _MATERIAL,
        {"orders": list(order_ids), "home": home, "today": date_in(tx.clock.now(), home)},
    )
    found: dict[UUID, list[Material]] = {}
    for row in rows:
        found.setdefault(row.order_id, []).append(
            Material(row.product_id, row.sku, row.name, row.quantity)
        )
    return found


async def list_rules(tx: ReadTx, *, after: UUID | None, limit: int) -> list[PackingRule]:
    """Return a page of packing rules in the sequence of their making."""
    statement = select(PackingRule).order_by(col(PackingRule.rule_id)).limit(limit)
    if after is not None:
        statement = statement.where(col(PackingRule.rule_id) > after)
    return list(await tx.scalars(statement))
