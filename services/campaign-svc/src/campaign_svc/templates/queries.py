"""Reads of what templates are written for."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Uuid, select
from sqlmodel import col

from campaign_svc.templates.model import TemplateNote
from kantis_contracts.values import ADVERTISING
from kantis_kit.db.sets import one_of
from kantis_kit.tx import ReadTx


async def selling_among(tx: ReadTx, template_ids: Collection[UUID]) -> list[TemplateNote]:
    """Return those of these templates that are written to sell; of one that nobody has told of, nothing is known."""
    rows = await tx.scalars(
        select(TemplateNote)
        .where(
            col(TemplateNote.template_id) == one_of(sorted(template_ids), Uuid()),
            col(TemplateNote.message_class).in_([one.value for one in ADVERTISING]),
        )
        .order_by(col(TemplateNote.template_id))
    )
    return list(rows)
