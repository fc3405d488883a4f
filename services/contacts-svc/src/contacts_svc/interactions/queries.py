"""Reads of interactions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlmodel import col

from contacts_svc.interactions.model import Interaction, InteractionKind
from contacts_svc.interactions.schemas import InteractionOut
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, moment, read_cursor


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which interactions are asked for; what is None does not narrow."""

    person_id: UUID | None = None
    kind: InteractionKind | None = None
    source: str | None = None
    campaign_id: UUID | None = None
    since: datetime | None = None
    before: datetime | None = None


async def list_interactions(
    tx: ReadTx, wanted: Wanted, *, cursor: str | None, limit: int
) -> Page[InteractionOut]:
    """Return interactions, the newest first."""
    chosen = (
        select(Interaction)
        .order_by(col(Interaction.occurred_at).desc(), col(Interaction.id).desc())
        .limit(limit + 1)
    )
    for column, value in (
        (Interaction.person_id, wanted.person_id),
        (Interaction.kind, wanted.kind),
        (Interaction.source, wanted.source),
        (Interaction.campaign_id, wanted.campaign_id),
    ):
        if value is not None:
            chosen = chosen.where(col(column) == value)
    if wanted.since is not None:
        chosen = chosen.where(col(Interaction.occurred_at) >= wanted.since)
    if wanted.before is not None:
        chosen = chosen.where(col(Interaction.occurred_at) < wanted.before)
    after = read_cursor(cursor, moment, UUID)
    if after:
        chosen = chosen.where(
            tuple_(col(Interaction.occurred_at), col(Interaction.id)) < tuple_(*after)
        )
    rows = (await tx.scalars(chosen)).all()
    shown = rows[:limit]
    more = encode_cursor(shown[-1].occurred_at, shown[-1].id) if len(rows) > limit else None
    return Page(items=[InteractionOut.model_validate(row) for row in shown], next_cursor=more)
