"""Reads of insights: the vocabulary, what people said, and which products answer their needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Text, bindparam, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, distinct_on
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.facts.model import OrderFact
from contacts_svc.insights.errors import TermUnknown
from contacts_svc.insights.model import (
    Insight,
    InsightKind,
    InsightSource,
    InsightTerm,
    NeedProduct,
    ProductKnown,
)
from contacts_svc.insights.schemas import InsightOut, MatchOut, ProductOut, TermOut
from contacts_svc.people.queries import any_of
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.paging import Page, encode_cursor, moment, read_cursor


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which insights are asked for; what is None does not narrow."""

    person_id: UUID | None = None
    term: str | None = None
    kind: InsightKind | None = None
    source: InsightSource | None = None
    campaign_id: UUID | None = None
    since: datetime | None = None
    before: datetime | None = None
    min_strength: int | None = None
    holds_only: bool = False


def term_out(term: InsightTerm) -> TermOut:
    """Shape a term for the API."""
    return TermOut(**term.model_dump(), is_closed=term.closed_at is not None)


async def terms_by_key(tx: ReadTx, keys: Iterable[str]) -> dict[str, InsightTerm]:
    """Return the terms of these keys, closed ones too."""
    chosen = sorted(set(keys))
    rows = await tx.scalars(
        select(InsightTerm).where(
            col(InsightTerm.key) == func.any(bindparam("term_keys", chosen, type_=ARRAY(Text())))
        )
    )
    return {term.key: term for term in rows}


async def get_term(tx: ReadTx, term_id: UUID) -> InsightTerm:
    """Return a term. Raises `TermUnknown`."""
    term = await tx.get(InsightTerm, term_id)
    if term is None:
        raise TermUnknown
    return term


async def lock_term(tx: Tx, term_id: UUID) -> InsightTerm:
    """Return a term, locked. Raises `TermUnknown`."""
    term: InsightTerm | None = await tx.scalar(
        select(InsightTerm).where(col(InsightTerm.id) == term_id).with_for_update()
    )
    if term is None:
        raise TermUnknown
    return term


async def list_terms(
    tx: ReadTx, *, kind: InsightKind | None, with_closed: bool, cursor: str | None, limit: int
) -> Page[TermOut]:
    """Return the vocabulary in the order of its making."""
    wanted = select(InsightTerm).order_by(col(InsightTerm.id)).limit(limit + 1)
    after = read_cursor(cursor, UUID)
    if after:
        wanted = wanted.where(col(InsightTerm.id) > after[0])
    if kind is not None:
        wanted = wanted.where(col(InsightTerm.kind) == kind.value)
    if not with_closed:
        wanted = wanted.where(col(InsightTerm.closed_at).is_(None))
    rows = (await tx.scalars(wanted)).all()
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=[term_out(row) for row in rows[:limit]], next_cursor=more)


async def list_insights(
    tx: ReadTx, wanted: Wanted, *, cursor: str | None, limit: int
) -> Page[InsightOut]:
    """Return what people said, the newest first, with the words of its term."""
    now = tx.clock.now()
    chosen = (
        _narrowed(wanted, now)
        .order_by(col(Insight.said_at).desc(), col(Insight.id).desc())
        .limit(limit + 1)
    )
    after = read_cursor(cursor, moment, UUID)
    if after:
        chosen = chosen.where(tuple_(col(Insight.said_at), col(Insight.id)) < tuple_(*after))
    rows = plain(await tx.execute(chosen))
    shown = [
        InsightOut(
            **one.model_dump(),
            term=term.key,
            kind=term.kind,
            words=term.words,
            holds=one.until is None or one.until > now,
        )
        for one, term in rows[:limit]
    ]
    more = encode_cursor(shown[-1].said_at, shown[-1].id) if len(rows) > limit else None
    return Page(items=shown, next_cursor=more)


def _narrowed(wanted: Wanted, now: datetime) -> Select[Insight, InsightTerm]:
    chosen = select(Insight, InsightTerm).join(
        InsightTerm, col(InsightTerm.id) == col(Insight.term_id)
    )
    for column, value in (
        (Insight.person_id, wanted.person_id),
        (InsightTerm.key, wanted.term),
        (InsightTerm.kind, wanted.kind),
        (Insight.source, wanted.source),
        (Insight.campaign_id, wanted.campaign_id),
    ):
        if value is not None:
            chosen = chosen.where(col(column) == value)
    if wanted.since is not None:
        chosen = chosen.where(col(Insight.said_at) >= wanted.since)
    if wanted.before is not None:
        chosen = chosen.where(col(Insight.said_at) < wanted.before)
    if wanted.min_strength is not None:
        chosen = chosen.where(col(Insight.strength) >= wanted.min_strength)
    if wanted.holds_only:
        chosen = chosen.where(or_(col(Insight.until).is_(None), col(Insight.until) > now))
    return chosen


async def known_products(tx: ReadTx, product_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these products are known."""
    rows = await tx.scalars(
        select(col(ProductKnown.product_id)).where(
            col(ProductKnown.product_id) == any_of(product_ids)
        )
    )
    return set(rows)


async def list_products(tx: ReadTx, term_id: UUID) -> list[ProductOut]:
    """Return the products that answer a need, the best first."""
    rows = await tx.execute(
        select(ProductKnown, col(NeedProduct.weight))
        .join(NeedProduct, col(NeedProduct.product_id) == col(ProductKnown.product_id))
        .where(col(NeedProduct.term_id) == term_id)
        .order_by(col(NeedProduct.weight).desc(), col(ProductKnown.sku))
    )
    return [ProductOut(**product.model_dump(), weight=weight) for product, weight in plain(rows)]


async def list_matches(tx: ReadTx, person_id: UUID, *, limit: int) -> list[MatchOut]:
    """Return the products on sale that answer what a person needs now, the best first.

    A need counts with the strength at which it was said last; a product's score is the sum of strength × weight.
    """
    now = tx.clock.now()
    needs = (
        select(
            col(Insight.term_id).label("term_id"),
            col(InsightTerm.key).label("key"),
            col(Insight.strength).label("strength"),
        )
        .join(InsightTerm, col(InsightTerm.id) == col(Insight.term_id))
        .where(
            col(Insight.person_id) == person_id,
            col(InsightTerm.kind) == InsightKind.NEED.value,
            or_(col(Insight.until).is_(None), col(Insight.until) > now),
        )
        .ext(distinct_on(col(Insight.term_id)))
        .order_by(col(Insight.term_id), col(Insight.said_at).desc(), col(Insight.id).desc())
        .subquery()
    )
    score = func.sum(needs.c.strength * col(NeedProduct.weight))
    found = await tx.execute(
        select(
            ProductKnown,
            func.array_agg(aggregate_order_by(needs.c.key, needs.c.key)),
            score,
        )
        .join(NeedProduct, col(NeedProduct.product_id) == col(ProductKnown.product_id))
        .join(needs, needs.c.term_id == col(NeedProduct.term_id))
        .where(col(ProductKnown.is_active))
        .group_by(col(ProductKnown.product_id))
        .order_by(score.desc(), col(ProductKnown.sku))
        .limit(limit)
    )
    bought = await _bought(tx, person_id)
    return [
        MatchOut(
            **product.model_dump(),
            needs=keys,
            score=points,
            has_bought=product.product_id in bought,
        )
        for product, keys, points in plain(found)
    ]


async def _bought(tx: ReadTx, person_id: UUID) -> set[UUID]:
    rows = await tx.scalars(
        select(col(OrderFact.lines)).where(
            col(OrderFact.person_id) == person_id, col(OrderFact.cancelled_at).is_(None)
        )
    )
    return {UUID(line["product_id"]) for lines in rows for line in lines}
