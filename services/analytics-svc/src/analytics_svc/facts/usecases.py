"""Record facts and move the roll-ups by what is new, in one transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Uuid, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from analytics_svc.aliases import person_alias
from analytics_svc.base import Base
from analytics_svc.facts import buyers_sql, sql
from analytics_svc.facts.model import (
    PERSON_KINDS,
    CampaignCard,
    CellCard,
    Fact,
    FactRow,
    SurveyCard,
    person_key,
)
from kantis_contracts.campaign import CampaignLaunchedV1, PieceReleasedV1, SurveyAnswered
from kantis_kit.db import aliases
from kantis_kit.db.aliases import families
from kantis_kit.db.sets import one_of
from kantis_kit.tx import Tx

_REBUILD_LOCK = 0x74616C6C79  # 'tally': a rebuild waits until no fact is being recorded, and the other way round
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
    placed = [_placed(fact, merged) for fact in said.values()] if merged else said.values()
    rows = orjson.dumps([fact.stored() for fact in placed], default=str).decode()
    await move(tx, sql.RECORD, rows)
    known = set(merged.values())
    if known and any(fact.kind == "permission" for fact in placed):
        await move(tx, sql.SETTLE_PERMISSIONS, list(known))
    groups = _groups((fact.kind, fact.campaign_id, fact.person_id) for fact in placed)
    await settle_twins(tx, {group for group in groups if group[2] in known})


async def move(tx: Tx, statement: str, *arguments: Any) -> None:
    """Run a statement that moves the roll-ups, and let cohorts follow the buyers whose purchases it has changed."""
    await _recount(tx, await tx.fetch(statement, *arguments))


async def _recount(tx: Tx, buyers: Sequence[Mapping[str, Any]]) -> None:
    """Work out anew what these buyers, by person and currency, add to cohorts and repeat purchases."""
    if not buyers:
        return
    pairs = sorted((row["person_id"], row["currency"]) for row in buyers)
    people, currencies = (list(one) for one in zip(*pairs, strict=True))
    for step in (buyers_sql.LOCK, buyers_sql.TAKE_OUT, buyers_sql.PUT_IN, buyers_sql.FORGET):
        await tx.fetch(step, people, currencies)


async def drop_persons(tx: Tx, people: Sequence[UUID]) -> None:
    """Take out of the roll-ups what names these persons; what cohorts and lists counted of them goes, too."""
    pairs = await tx.fetch(buyers_sql.PAIRS, people)
    await move(tx, sql.DROP_PERMISSIONS, people)
    for statement in sql.DROP_PERSONS:
        await tx.fetch(statement, people)
    await _recount(tx, pairs)


def _placed(fact: Fact, merged: Mapping[UUID, UUID]) -> Fact:
    if fact.person_id is None or fact.person_id not in merged:
        return fact
    return replace(fact, person_id=merged[fact.person_id], merged_id=fact.person_id)


Group = tuple[str, UUID, UUID]
"""What one person did in one campaign, under any id: kind, campaign, person."""


def _groups(of: Iterable[tuple[str, UUID | None, UUID | None]]) -> set[Group]:
    return {
        (kind, campaign_id, person_id)
        for kind, campaign_id, person_id in of
        if kind in PERSON_KINDS and campaign_id and person_id
    }


async def settle_twins(tx: Tx, groups: Collection[Group]) -> None:
    """Count each person once: of the facts of a group the first in time counts, under whichever id it came."""
    wanted = sorted(groups)
    if not wanted:
        return
    merged = await families(tx, person_alias, {person_id for _, _, person_id in wanted})
    ids: dict[UUID, list[UUID]] = {person_id: [person_id] for _, _, person_id in wanted}
    for merged_id, known_id in merged.items():
        ids.setdefault(known_id, [known_id]).append(merged_id)
    names = sorted(
        (kind, person_key(campaign_id, kind, id_))
        for kind, campaign_id, person_id in wanted
        for id_ in ids[person_id]
    )
    kinds, keys = zip(*names, strict=True)
    await tx.fetch(sql.LOCK, kinds, keys)
    await move(tx, sql.SETTLE_TWINS, kinds, keys)


async def take_merges(tx: Tx, news: Sequence[aliases.Merge]) -> None:
    """Let the facts of merged ids stand with the known person, and count each person once; or give them back.

    Any order, any number of times. Recording waits meanwhile, so that no fact is missed.
    """
    await tx.execute(select(func.pg_advisory_xact_lock(_REBUILD_LOCK)))
    changed = await aliases.keep(tx, person_alias, news)
    if not changed:
        return
    before = await _under(tx, changed)
    await aliases.move(tx, person_alias, Base.metadata.tables["fact"], changed)
    after = await _under(tx, changed)
    await settle_twins(tx, _groups(before | after))
    people = list({person_id for _, _, person_id in before | after})
    pairs = {
        (row["person_id"], row["currency"]) for row in await tx.fetch(buyers_sql.PAIRS, people)
    }
    for statement in (*sql.DROP_PERSONS, *sql.COUNT_PERSONS):
        await tx.fetch(statement, people)
    pairs |= {
        (row["person_id"], row["currency"]) for row in await tx.fetch(buyers_sql.PAIRS, people)
    }
    await _recount(tx, [{"person_id": person, "currency": currency} for person, currency in pairs])
    await move(tx, sql.SETTLE_PERMISSIONS, [*people, *changed])


async def _under(tx: Tx, ids: Sequence[UUID]) -> set[tuple[str, UUID | None, UUID]]:
    """Return kind, campaign and person, as it stands now, of the facts that came under these ids."""
    chosen = one_of(ids, Uuid())
    rows = await tx.execute(
        select(col(FactRow.kind), col(FactRow.campaign_id), col(FactRow.person_id))
        .where(
            col(FactRow.person_id).is_not(None),
            or_(col(FactRow.person_id) == chosen, col(FactRow.merged_id) == chosen),
        )
        .distinct()
    )
    return {(row.kind, row.campaign_id, row.person_id) for row in rows}


async def rebuild(tx: Tx) -> int:
    """Make the roll-ups anew from the facts; return how many of their numbers were wrong.

    Recording waits meanwhile.
    """
    await tx.execute(select(func.pg_advisory_xact_lock(_REBUILD_LOCK)))
    wrong = [await tx.fetch(statement) for statement in (*sql.REBUILD, *buyers_sql.REBUILD)]
    return sum(int(rows[0]["numbers"]) for rows in wrong)


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


async def know_surveys(tx: Tx, items: Sequence[SurveyAnswered]) -> None:
    """Keep what surveys are called."""
    names = {item.survey_id: item.survey_name for item in items}
    if not names:
        return
    rows = [{"survey_id": id_, "name": name} for id_, name in sorted(names.items())]
    card = insert(SurveyCard).values(rows)
    await tx.execute(
        card.on_conflict_do_update(index_elements=["survey_id"], set_={"name": card.excluded.name})
    )
