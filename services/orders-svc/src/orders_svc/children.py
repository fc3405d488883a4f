"""Rows that belong to others, read for many of them at once."""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Uuid
from sqlalchemy.orm import Mapped
from sqlmodel import SQLModel, select

from kantis_kit.db.sets import one_of
from kantis_kit.tx import ReadTx

RowT = TypeVar("RowT", bound=SQLModel)


async def children_of(
    tx: ReadTx, model: type[RowT], parent: Mapped[UUID], ids: Iterable[UUID], *, by: Mapped[Any]
) -> dict[UUID, list[RowT]]:
    """Return the rows of these parents, by parent, as they are now; who has none is left out."""
    wanted = set(ids)
    found: dict[UUID, list[RowT]] = {}
    if not wanted:
        return found
    rows = await tx.execute(
        select(parent.label("parent_id"), model)
        .where(parent == one_of(list(wanted), Uuid()))
        .order_by(parent, by)
        .execution_options(populate_existing=True)
    )
    for row in rows:
        found.setdefault(row.parent_id, []).append(getattr(row, model.__name__))
    return found
