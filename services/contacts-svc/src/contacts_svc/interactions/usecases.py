"""What is done with interactions: kept once, or taken back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import plain, table_of
from contacts_svc.facts.queries import as_rows, living
from contacts_svc.interactions.errors import InteractionInvalid, InteractionUnknown
from contacts_svc.interactions.model import Interaction
from contacts_svc.interactions.schemas import InteractionIn, RecordedOut
from contacts_svc.people.queries import any_of
from contacts_svc.people.rules import national_number_in
from contacts_svc.touched import Family, touch
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

_FREE_TEXT = ("topic", "outcome", "place", "text", "source", "external_id")
_MAX_TOLD = 20
"""How many refusals one answer names."""


async def record_interactions(tx: Tx, items: Sequence[InteractionIn]) -> list[RecordedOut]:
    """Keep what happened; what a source has told before, by its external id, stays as it was told first.

    Raises:
        InteractionInvalid: a contact is not there, a moment lies in the future, or a text holds a national identity
            number; nothing is kept, and the answer names each place.
    """
    known = await living(tx, (item.contact_id for item in items))
    refusals = [
        {"in": "body", "field": f"items[{index}].{name}", "message": why}
        for index, item in enumerate(items)
        for name, why in _faults(item, known, tx.clock.now())
    ]
    if refusals:
        first = refusals[0]
        raise InteractionInvalid(
            f"{first['field']}: {first['message']}; nothing was kept, mend {len(refusals)} and send all again",
            errors=refusals[:_MAX_TOLD],
        )
    rows = [_row(tx, item, known[item.contact_id]) for item in items]
    return await keep(tx, rows)


def _faults(
    item: InteractionIn, known: Mapping[UUID, UUID], now: datetime
) -> list[tuple[str, str]]:
    faults = []
    if item.contact_id not in known:
        faults.append(("contact_id", "there is no such contact, or it was erased"))
    if item.occurred_at is not None and item.occurred_at > now:
        faults.append(("occurred_at", f"lies in the future; it is {now:%Y-%m-%dT%H:%M:%SZ} now"))
    for name in _FREE_TEXT:
        kind = national_number_in(getattr(item, name) or "")
        if kind:
            faults.append((name, f"holds what looks like a {kind}; leave it out"))
    return faults


def _row(tx: Tx, item: InteractionIn, person_id: UUID) -> dict[str, Any]:
    now = tx.clock.now()
    return {
        "id": new_id(),
        "person_id": person_id,
        "kind": item.kind.value,
        "direction": item.direction.value if item.direction else "",
        "channel": item.channel.value if item.channel else "",
        "topic": item.topic,
        "outcome": item.outcome,
        "place": item.place,
        "text": item.text,
        "campaign_id": item.campaign_id,
        "source": item.source,
        "external_id": item.external_id,
        "actor": tx.actor,
        "occurred_at": item.occurred_at or now,
        "recorded_at": now,
    }


async def keep(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[RecordedOut]:
    """Keep rows that were looked at; what a source has told before stays as it was told first."""
    table = table_of(Interaction)
    # One order for all, so that two callers who send the same never wait in a circle.
    told = as_rows(
        "told", Interaction, sorted(rows, key=lambda row: (row["source"], row["external_id"] or ""))
    )
    new = await tx.execute(
        insert(table)
        .from_select(told.c.keys(), select(*told.c))
        .on_conflict_do_nothing(index_elements=["source", "external_id"])
        .returning(table.c.id, table.c.person_id)
    )
    kept = dict(plain(new))
    await touch(tx, kept.values(), Family.INTERACTION)
    wanted = [row for row in rows if row["id"] not in kept]
    known = {}
    if wanted:
        asked = as_rows("asked", Interaction, wanted)
        found = await tx.execute(
            select(table.c.source, table.c.external_id, table.c.id)
            .join_from(
                table,
                asked,
                (table.c.source == asked.c.source) & (table.c.external_id == asked.c.external_id),
            )
            .distinct()
        )
        known = {(source, external_id): one for source, external_id, one in plain(found)}
    return [
        RecordedOut(
            id=row["id"] if row["id"] in kept else known[row["source"], row["external_id"]],
            external_id=row["external_id"],
            is_new=row["id"] in kept,
        )
        for row in rows
    ]


async def take_back(tx: Tx, interaction_id: UUID) -> None:
    """Remove an interaction that was told by mistake. Raises `InteractionUnknown`."""
    table = table_of(Interaction)
    person_id = await tx.scalar(
        delete(table).where(table.c.id == interaction_id).returning(table.c.person_id)
    )
    if person_id is None:
        raise InteractionUnknown
    await touch(tx, [person_id], Family.INTERACTION)


async def forget(tx: Tx, person_ids: Iterable[UUID]) -> None:
    """Forget what happened between these persons and the company."""
    table = table_of(Interaction)
    await tx.execute(delete(table).where(table.c.person_id == any_of(sorted(set(person_ids)))))
