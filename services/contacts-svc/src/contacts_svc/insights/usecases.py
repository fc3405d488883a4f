"""What is done with insights: the vocabulary is kept, what is learned is entered, products are matched to needs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, literal, select
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import Moment, table_of
from contacts_svc.facts.queries import as_rows, living
from contacts_svc.insights import events, queries
from contacts_svc.insights.errors import (
    InsightInvalid,
    InsightUnknown,
    ProductsInvalid,
    TermTaken,
)
from contacts_svc.insights.model import (
    Insight,
    InsightKind,
    InsightTerm,
    Learned,
    NeedProduct,
    ProductKnown,
)
from contacts_svc.insights.schemas import InsightIn, MatchIn, TermIn, TermPut
from contacts_svc.people.queries import any_of
from contacts_svc.people.rules import national_number_in
from contacts_svc.touched import Family, touch
from kantis_contracts.orders import ProductCard
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

_MAX_TOLD = 20
"""How many refusals one answer names."""


async def make_term(tx: Tx, body: TermIn) -> InsightTerm:
    """Add a word to the vocabulary. Raises `TermTaken`."""
    now = tx.clock.now()
    term = InsightTerm(
        id=new_id(),
        key=body.key,
        kind=body.kind.value,
        words={language.value: word for language, word in body.words.items()},
        created_at=now,
        updated_at=now,
    )
    row = as_rows("new", InsightTerm, [term.model_dump()])
    made = await tx.scalar(
        insert(table_of(InsightTerm))
        .from_select(row.c.keys(), select(*row.c))
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(table_of(InsightTerm).c.id)
    )
    if made is None:
        raise TermTaken(f"{body.key}: change that term, or choose another key")
    return term


def change_term(tx: Tx, term: InsightTerm, body: TermPut) -> None:
    """Replace the words of a locked term, close it or open it again."""
    now = tx.clock.now()
    term.words = {language.value: word for language, word in body.words.items()}
    if body.is_closed:
        term.closed_at = term.closed_at or now
    else:
        term.closed_at = None
    term.version, term.updated_at = term.version + 1, now


def close_term(tx: Tx, term: InsightTerm) -> None:
    """Close a locked term: nothing new is said with it, what was said stays."""
    now = tx.clock.now()
    if term.closed_at is None:
        term.closed_at, term.updated_at, term.version = now, now, term.version + 1


async def record_by_hand(tx: Tx, person_id: UUID, items: Sequence[InsightIn]) -> None:
    """Enter what was learned about a contact; all of it or nothing.

    Raises:
        InsightInvalid: a term is unknown or closed, a moment cannot be, or a note holds a national identity number.
    """
    now = tx.clock.now()
    learned = [
        Learned(
            person_id=person_id,
            term_key=item.term,
            source=item.source,
            said_at=item.said_at or now,
            strength=item.strength,
            campaign_id=item.campaign_id,
            note=item.note,
            until=item.until,
        )
        for item in items
    ]
    known = await queries.terms_by_key(tx, {one.term_key for one in learned})
    refusals = [
        {"in": "body", "field": f"items[{index}].{name}", "message": why}
        for index, one in enumerate(learned)
        for name, why in _faults(tx, one, known)
    ]
    if refusals:
        first = refusals[0]
        raise InsightInvalid(
            f"{first['field']}: {first['message']}; nothing was kept", errors=refusals[:_MAX_TOLD]
        )
    await record_insights(tx, learned)


def _faults(tx: Tx, one: Learned, known: Mapping[str, InsightTerm]) -> list[tuple[str, str]]:
    faults = []
    now = tx.clock.now()
    term = known.get(one.term_key)
    if term is None:
        faults.append(("term", f"the vocabulary has no term {one.term_key}; add it first"))
    elif term.closed_at is not None:
        faults.append(("term", f"the term {one.term_key} is closed; open it, or use another"))
    if one.said_at > now:
        faults.append(("said_at", f"lies in the future; it is {now:%Y-%m-%dT%H:%M:%SZ} now"))
    if one.until is not None and one.until <= one.said_at:
        faults.append(("until", "lies before what was said"))
    kind = national_number_in(one.note)
    if kind:
        faults.append(("note", f"holds what looks like a {kind}; leave it out"))
    return faults


async def record_insights(tx: Tx, items: Sequence[Learned]) -> int:
    """Enter what was learned about people; return how much of it was new.

    Works in one statement per step, and in any order: what is said again (person, term, source and moment) stays as it
    was said first. What cannot be entered – a term that is unknown or closed, a person who is gone, a moment in the
    future, a national identity number in a note – is left out, so that a form whose vocabulary has moved on still
    keeps its leads; ask `queries.terms_by_key` first where a refusal has somebody to tell.
    """
    known = await queries.terms_by_key(tx, {one.term_key for one in items})
    there = await living(tx, (one.person_id for one in items))
    rows = [
        _row(tx, one, there[one.person_id], known[one.term_key].id)
        for one in items
        if one.person_id in there and not _faults(tx, one, known)
    ]
    if not rows:
        return 0
    # One order for all, so that two callers who send the same never wait in a circle.
    rows.sort(key=lambda row: (row["person_id"], row["term_id"], row["source"], row["said_at"]))
    told = as_rows("told", Insight, rows)
    table = table_of(Insight)
    new = await tx.scalars(
        insert(table)
        .from_select(told.c.keys(), select(*told.c))
        .on_conflict_do_nothing(index_elements=["person_id", "term_id", "source", "said_at"])
        .returning(table.c.id)
    )
    made = set(new)
    if not made:
        return 0
    terms = {term.id: term for term in known.values()}
    fresh = [Insight(**row) for row in rows if row["id"] in made]
    await touch(tx, {one.person_id for one in fresh}, Family.INSIGHT)
    tx.stage(events.insights_changed((one, terms[one.term_id]) for one in fresh))
    return len(fresh)


def _row(tx: Tx, one: Learned, person_id: UUID, term_id: UUID) -> dict[str, Any]:
    return {
        "id": new_id(),
        "person_id": person_id,
        "term_id": term_id,
        "strength": one.strength,
        "source": one.source.value,
        "campaign_id": one.campaign_id,
        "note": one.note,
        "actor": tx.actor,
        "said_at": one.said_at,
        "until": one.until,
        "recorded_at": tx.clock.now(),
    }


async def take_back(tx: Tx, person_id: UUID, insight_id: UUID) -> None:
    """Remove an insight that was entered by mistake. Raises `InsightUnknown`."""
    table = table_of(Insight)
    gone = (
        await tx.execute(
            delete(table)
            .where(table.c.id == insight_id, table.c.person_id == person_id)
            .returning(*table.c)
        )
    ).first()
    if gone is None:
        raise InsightUnknown
    await touch(tx, [person_id], Family.INSIGHT)
    term = await queries.get_term(tx, gone.term_id)
    tx.stage(events.insights_changed([(Insight(**gone._asdict()), term)], is_taken_back=True))


async def match_products(tx: Tx, term: InsightTerm, items: Sequence[MatchIn]) -> None:
    """Replace the products that answer a need.

    Raises:
        ProductsInvalid: the term is no need, a product is named twice, or one is not known.
    """
    if term.kind != InsightKind.NEED:
        raise ProductsInvalid(f"{term.key} is no need but a {term.kind}: products answer needs")
    chosen = sorted(items, key=lambda item: item.product_id)
    ids = {item.product_id for item in chosen}
    if len(ids) < len(chosen):
        raise ProductsInvalid("items: a product stands here twice; name each once")
    missing = ids - await queries.known_products(tx, ids)
    if missing:
        raise ProductsInvalid(
            f"items: there is no product {min(map(str, missing))}; a new one is known within a second"
        )
    table = table_of(NeedProduct)
    await tx.execute(delete(table).where(table.c.term_id == term.id))
    if chosen:
        now = tx.clock.now()
        rows = as_rows(
            "wanted",
            NeedProduct,
            [{"product_id": one.product_id, "weight": one.weight} for one in chosen],
        )
        await tx.execute(
            insert(table).from_select(
                ["product_id", "weight", "term_id", "at"],
                select(*rows.c, literal(term.id, table.c.term_id.type), literal(now, Moment)),
            )
        )


async def keep_products(tx: Tx, cards: Sequence[ProductCard]) -> None:
    """Keep what matches show of products: the newest version, in whatever order they come."""
    newest: dict[UUID, ProductCard] = {}
    for card in cards:
        if card.product_id not in newest or newest[card.product_id].version < card.version:
            newest[card.product_id] = card
    fields = tuple(ProductKnown.model_fields)
    rows = [
        {name: getattr(newest[product_id], name) for name in fields}
        for product_id in sorted(newest)
    ]
    table = table_of(ProductKnown)
    told = as_rows("told", ProductKnown, rows)
    new = insert(table).from_select(told.c.keys(), select(*told.c))
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["product_id"],
            set_={name: new.excluded[name] for name in fields if name != "product_id"},
            where=new.excluded.version > table.c.version,
        )
    )


async def forget(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Forget what was learned about these persons."""
    table = table_of(Insight)
    await tx.execute(delete(table).where(table.c.person_id == any_of(sorted(set(person_ids)))))


__all__ = [
    "change_term",
    "close_term",
    "forget",
    "keep_products",
    "make_term",
    "match_products",
    "record_by_hand",
    "record_insights",
    "take_back",
]
