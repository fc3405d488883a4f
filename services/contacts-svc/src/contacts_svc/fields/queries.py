"""Reads of declared fields."""

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.fields.model import CustomField
from kantis_kit.tx import ReadTx


async def load(tx: ReadTx) -> dict[str, CustomField]:
    """Return every declared field by its key, closed ones included."""
    rows = await tx.scalars(select(CustomField).order_by(col(CustomField.key)))
    return {one.key: one for one in rows}
