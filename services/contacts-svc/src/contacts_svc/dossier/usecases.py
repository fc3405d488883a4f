"""A person wants to know everything: every service is asked, and what they answer is kept for a week."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import Moment, table_of
from contacts_svc.dossier import events, queries
from contacts_svc.dossier.model import Dossier, DossierPartRow
from contacts_svc.people.queries import any_of
from kantis_contracts.privacy import DossierPart
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

KEEP = timedelta(days=7)
ASK_ANEW_AFTER = timedelta(minutes=10)
"""Who asks again sooner gets what was asked for."""


async def ask(tx: Tx, person_id: UUID) -> Dossier:
    """Ask every service what it holds of a person. Raises `ContactUnknown`."""
    known, aliases = await queries.find_ids(tx, person_id)
    now = tx.clock.now()
    held: Dossier | None = await tx.scalar(
        select(Dossier)
        .where(col(Dossier.person_id) == known, col(Dossier.asked_at) > now - ASK_ANEW_AFTER)
        .order_by(col(Dossier.asked_at).desc())
        .limit(1)
    )
    if held is not None:
        return held
    row = Dossier(
        id=new_id(),
        person_id=known,
        person_ids=[str(known), *map(str, aliases)],
        asked_at=now,
        asked_by=tx.actor,
        expires_at=now + KEEP,
    )
    tx.add(row)
    tx.audit("contacts.dossier_asked", str(known), dossier_id=str(row.id))
    tx.stage(events.dossier_requested(row))
    return row


async def take(tx: Tx, service: str, parts: Sequence[DossierPart]) -> None:
    """Keep what a service has answered; of a dossier whose time is over, or whose person was erased, nothing."""
    ordered = sorted({(one.dossier_id, one.part): one for one in parts}.items())
    items = [one for _, one in ordered]
    new = column_set(
        "answered",
        {
            "dossier_id": (Uuid(), [one.dossier_id for one in items]),
            "service": (Text(), [service for _ in items]),
            "part": (Integer(), [one.part for one in items]),
            "parts": (Integer(), [one.parts for one in items]),
            "content": (Text(), [one.content for one in items]),
            "answered_at": (Moment, [one.answered_at for one in items]),
        },
    )
    dossier = table_of(Dossier)
    wanted = sorted({one.dossier_id for one in items})
    there = (
        select(dossier.c.id)
        .where(dossier.c.id == any_of(wanted))
        .with_for_update(key_share=True)
        .cte("there")
    )
    await tx.execute(
        insert(table_of(DossierPartRow))
        .from_select(list(new.c.keys()), select(*new.c).join(there, there.c.id == new.c.dossier_id))
        .on_conflict_do_nothing()
    )


async def forget_old(tx: Tx) -> None:
    """Delete dossiers whose time is over, with all answers."""
    dossier = table_of(Dossier)
    await tx.execute(delete(dossier).where(dossier.c.expires_at <= tx.clock.now()))
