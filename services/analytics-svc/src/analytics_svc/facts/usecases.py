"""Record facts and move the roll-ups by what is new, in one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Row,
    Text,
    Uuid,
    and_,
    cast,
    column,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlmodel import col

from analytics_svc.aliases import person_alias
from analytics_svc.base import Base
from analytics_svc.facts.model import (
    PERSON_KINDS,
    CampaignCard,
    CellCard,
    Fact,
    FactRow,
    Mark,
    Move,
    Tally,
    difference,
    moves,
    person_key,
)
from kantis_contracts.campaign import CampaignLaunchedV1, PieceReleasedV1
from kantis_kit.db import aliases
from kantis_kit.db.aliases import families
from kantis_kit.db.sets import one_of, row_set
from kantis_kit.tx import Tx

_REBUILD_LOCK = 0x74616C6C79  # 'tally': a rebuild waits until no fact is being recorded, and the other way round
_PAGE = 5_000
_ROWS = 1_000
_Key = tuple[str, UUID]


async def record(tx: Tx, facts: Iterable[Fact]) -> None:
    """Merge these accounts into the facts and move the roll-ups by the difference.

    Idempotent, and the same whatever the order.
    """
    said: dict[_Key, Fact] = {}
    for fact in facts:
        key = (fact.kind, fact.key)
        said[key] = said[key].merge(fact) if key in said else fact
    if not said:
        return
    await tx.execute(select(func.pg_advisory_xact_lock_shared(_REBUILD_LOCK)))
    people = {fact.person_id for fact in said.values() if fact.person_id}
    merged = await families(tx, person_alias, people)
    ordered = [_placed(said[key], merged) for key in sorted(said)]
    await _make_rows(tx, ordered)
    held = await _lock(tx, ordered)
    changed: list[Fact] = []
    change: Counter[Move] = Counter()
    for fact in ordered:
        before = held[fact.kind, fact.key]
        after = before.merge(fact)
        if after != before:
            changed.append(after)
            change.update(difference(before, after))
    await _store(tx, changed)
    await _add(tx, change)
    known = set(merged.values())
    await settle_twins(
        tx, [group for fact in changed if (group := group_of(fact)) and group[2] in known]
    )


def _placed(fact: Fact, merged: Mapping[UUID, UUID]) -> Fact:
    if fact.person_id is None or fact.person_id not in merged:
        return fact
    return replace(fact, person_id=merged[fact.person_id], merged_id=fact.person_id)


Group = tuple[str, UUID, UUID]
"""What one person did in one campaign, under any id: kind, campaign, person."""


def group_of(fact: Fact) -> Group | None:
    """Return in which group a fact of a person is, or None for one of another kind."""
    if fact.kind not in PERSON_KINDS or fact.campaign_id is None or fact.person_id is None:
        return None
    return fact.kind, fact.campaign_id, fact.person_id


async def settle_twins(tx: Tx, groups: Iterable[Group]) -> None:
    """Count each person once: of the facts of a group the first in time counts, under whichever id it came."""
    wanted = sorted(set(groups))
    if not wanted:
        return
    merged = await families(tx, person_alias, {person_id for _, _, person_id in wanted})
    ids: dict[UUID, list[UUID]] = {person_id: [person_id] for _, _, person_id in wanted}
    for merged_id, known_id in merged.items():
        ids.setdefault(known_id, [known_id]).append(merged_id)
    names = [
        Fact(kind, person_key(campaign_id, kind, id_))
        for kind, campaign_id, person_id in wanted
        for id_ in ids[person_id]
    ]
    by_group: dict[Group | None, list[Fact]] = {}
    for fact in (await _lock(tx, names)).values():
        by_group.setdefault(group_of(fact), []).append(fact)
    changed: list[Fact] = []
    change: Counter[Move] = Counter()
    for group in wanted:
        facts = by_group.get(group, [])
        first = min(facts, key=lambda one: (_seen(one), one.key), default=None)
        for before in facts:
            after = replace(before, is_twin=before is not first)
            if after != before:
                changed.append(after)
                change.update(difference(before, after))
    await _store(tx, changed)
    await _add(tx, change)


def _seen(fact: Fact) -> datetime:
    return min(mark.at for mark in fact.marks.values())


async def _make_rows(tx: Tx, facts: Sequence[Fact]) -> None:
    """See to it that every fact has a row to lock; whoever makes it first, the others wait and find it."""
    new = row_set(
        "new",
        (column("kind", Text), column("key", Uuid)),
        [(fact.kind, fact.key) for fact in facts],
    )
    await tx.execute(
        insert(FactRow)
        .from_select(["kind", "key"], select(new.c.kind, new.c.key), include_defaults=False)
        .on_conflict_do_nothing()
    )


async def _lock(tx: Tx, facts: Sequence[Fact]) -> dict[_Key, Fact]:
    new = row_set(
        "wanted",
        (column("kind", Text), column("key", Uuid)),
        [(fact.kind, fact.key) for fact in facts],
    )
    rows = await tx.execute(
        select(*_FACT_COLUMNS)
        .join(new, and_(new.c.kind == col(FactRow.kind), new.c.key == col(FactRow.key)))
        .order_by(col(FactRow.kind), col(FactRow.key))
        .with_for_update(of=FactRow)
    )
    return {(row.kind, row.key): _fact(row) for row in rows}


_FACT_COLUMNS = (
    col(FactRow.kind), col(FactRow.key), col(FactRow.campaign_id), col(FactRow.cell_id),
    col(FactRow.person_id), col(FactRow.currency), col(FactRow.label), col(FactRow.marks),
    col(FactRow.merged_id), col(FactRow.is_twin),
)  # fmt: skip


def _fact(row: "Row[Any]") -> Fact:
    marks = {name: Mark.from_json(value) for name, value in row.marks.items()}
    return Fact(
        row.kind,
        row.key,
        row.campaign_id,
        row.cell_id,
        row.person_id,
        row.currency,
        row.label,
        marks,
        row.merged_id,
        row.is_twin,
    )


async def _store(tx: Tx, facts: Sequence[Fact]) -> None:
    if not facts:
        return
    new = row_set(
        "new",
        (
            column("kind", Text), column("key", Uuid), column("campaign_id", Uuid), column("cell_id", Uuid),
            column("person_id", Uuid), column("currency", Text), column("label", Text), column("marks", Text),
            column("merged_id", Uuid), column("is_twin", Boolean),
        ),
        [
            (
                fact.kind, fact.key, fact.campaign_id, fact.cell_id, fact.person_id, fact.currency, fact.label,
                _marks_text(fact.marks), fact.merged_id, fact.is_twin,
            )
            for fact in facts
        ],
    )  # fmt: skip
    await tx.execute(
        update(FactRow)
        .where(col(FactRow.kind) == new.c.kind, col(FactRow.key) == new.c.key)
        .values(
            campaign_id=new.c.campaign_id,
            cell_id=new.c.cell_id,
            person_id=new.c.person_id,
            currency=new.c.currency,
            label=new.c.label,
            marks=cast(new.c.marks, JSONB),
            merged_id=new.c.merged_id,
            is_twin=new.c.is_twin,
        )
        .execution_options(synchronize_session=False)
    )


def _marks_text(marks: Mapping[str, Mark]) -> str:
    return orjson.dumps({name: mark.as_json() for name, mark in marks.items()}).decode()


async def _add(tx: Tx, change: "Counter[Move]") -> None:
    """Move the roll-ups, in the order of their key so that two recorders wait for each other, not in a ring."""
    rows = sorted((*where, value) for where, value in change.items() if value)
    for start in range(0, len(rows), _ROWS):
        new = row_set("new", _TALLY_COLUMNS, rows[start : start + _ROWS])
        wanted = insert(Tally).from_select(
            [one.name for one in _TALLY_COLUMNS], select(*new.c), include_defaults=False
        )
        await tx.execute(
            wanted.on_conflict_do_update(
                index_elements=["campaign_id", "cell_id", "day", "measure", "currency"],
                set_={"value": col(Tally.value) + wanted.excluded.value},
            )
        )


_TALLY_COLUMNS = (
    column("campaign_id", Uuid), column("cell_id", Uuid), column("day", Date), column("measure", Text),
    column("currency", Text), column("value", BigInteger),
)  # fmt: skip


async def take_merges(tx: Tx, news: Sequence[aliases.Merge]) -> None:
    """Let the facts of merged ids stand with the known person, and count each person once; or give them back.

    Any order, any number of times. Recording waits meanwhile, so that no fact is missed.
    """
    await tx.execute(select(func.pg_advisory_xact_lock(_REBUILD_LOCK)))
    changed = await aliases.keep(tx, person_alias, news)
    if not changed:
        return
    before = await _groups_under(tx, changed)
    await aliases.move(tx, person_alias, Base.metadata.tables["fact"], changed)
    await settle_twins(tx, before | await _groups_under(tx, changed))


async def _groups_under(tx: Tx, ids: Sequence[UUID]) -> set[Group]:
    """Return the groups in which facts that came under these ids are now."""
    chosen = one_of(ids, Uuid())
    rows = await tx.execute(
        select(col(FactRow.kind), col(FactRow.campaign_id), col(FactRow.person_id)).where(
            col(FactRow.kind).in_(PERSON_KINDS),
            col(FactRow.campaign_id).is_not(None),
            or_(col(FactRow.person_id) == chosen, col(FactRow.merged_id) == chosen),
        )
    )
    return {(row.kind, row.campaign_id, row.person_id) for row in rows}


async def rebuild(tx: Tx) -> int:
    """Make the roll-ups anew from the facts; return how many of their numbers were wrong.

    Recording waits meanwhile.
    """
    await tx.execute(select(func.pg_advisory_xact_lock(_REBUILD_LOCK)))
    before = {
        (row.campaign_id, row.cell_id, row.day, row.measure, row.currency): row.value
        for row in await tx.execute(
            select(
                col(Tally.campaign_id),
                col(Tally.cell_id),
                col(Tally.day),
                col(Tally.measure),
                col(Tally.currency),
                col(Tally.value),
            )
        )
        if row.value
    }
    whole: Counter[Move] = Counter()
    last: tuple[str, UUID] | None = None
    while True:
        page = select(*_FACT_COLUMNS).order_by(col(FactRow.kind), col(FactRow.key)).limit(_PAGE)
        if last is not None:
            page = page.where(tuple_(col(FactRow.kind), col(FactRow.key)) > last)
        rows = (await tx.execute(page)).all()
        if not rows:
            break
        for row in rows:
            whole.update(moves(_fact(row)))
        last = (rows[-1].kind, rows[-1].key)
    await tx.execute(delete(Tally))
    await _add(tx, whole)
    after = {where: value for where, value in whole.items() if value}
    return sum(before.get(where) != after.get(where) for where in before.keys() | after.keys())


async def know_campaign(tx: Tx, event: CampaignLaunchedV1) -> None:
    """Keep what reports say of a launched campaign and its cells."""
    card = insert(CampaignCard).values(
        campaign_id=event.campaign_id,
        name=event.campaign_name,
        channel=event.channel.value,
        currency=event.currency,
        offer_name=event.offer.name if event.offer else "",
        launched_at=event.launched_at,
    )
    await tx.execute(
        card.on_conflict_do_update(
            index_elements=["campaign_id"],
            set_={
                name: card.excluded[name]
                for name in ("name", "channel", "currency", "offer_name", "launched_at")
            },
        )
    )
    await _know_cells(
        tx,
        event.campaign_id,
        {
            item.cell_id: (item.name, item.key_code, item.cost_per_piece_minor)
            for item in event.items
        },
    )


async def know_cell(tx: Tx, event: PieceReleasedV1) -> None:
    """Keep what a released piece says of its campaign, should the launch itself not have come yet."""
    await tx.execute(
        insert(CampaignCard)
        .values(
            campaign_id=event.campaign_id,
            name=event.campaign_name,
            channel=event.channel.value,
            currency=event.currency,
            offer_name=event.offer.name if event.offer else "",
        )
        .on_conflict_do_nothing()
    )
    card = (event.cell_name, event.key_code, event.cost_per_piece_minor)
    await _know_cells(tx, event.campaign_id, {event.cell_id: card})


async def _know_cells(
    tx: Tx, campaign_id: UUID, cells: Mapping[UUID, tuple[str, str, int]]
) -> None:
    await tx.execute(
        insert(CellCard)
        .values(
            [
                {
                    "cell_id": cell_id, "campaign_id": campaign_id, "name": name, "key_code": key_code,
                    "cost_per_piece_minor": cost,
                }
                for cell_id, (name, key_code, cost) in sorted(cells.items())
            ]
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
