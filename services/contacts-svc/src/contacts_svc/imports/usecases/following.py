"""Those who follow what changes are told of new people when their import is through, as fast as they follow.

Half a million people at once would have everybody else's changes wait behind them, and would take processor time from the
import: so they are handed over in slices, the next one when the last is nearly used up.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import Moment, plain, table_of
from contacts_svc.imports.model import Import, ImportState, ImportTouched
from contacts_svc.imports.usecases.taking import WAITS
from contacts_svc.touched import TouchedPerson
from kantis_kit.tx import ReadTx, Tx

SLICE: Final = 10_000
"""People who are handed over at once."""
LOW: Final = 4_000
"""So many may still wait when the next slice comes."""


async def list_open(tx: ReadTx) -> list[tuple[UUID, str, bool]]:
    """Return the imports that are not through: id, actor, and whether rows of theirs wait; the oldest first."""
    rows = await tx.execute(
        select(col(Import.id), col(Import.actor), col(Import.state) == ImportState.RUNNING)
        .where((col(Import.state) == ImportState.RUNNING) | ~col(Import.is_followed))
        .order_by(col(Import.id))
    )
    return [(import_id, actor, is_running) for import_id, actor, is_running in plain(rows)]


async def follow(tx: Tx, import_id: UUID, *, slice_size: int = SLICE, low: int = LOW) -> bool:
    """Hand the next people whom an import has made to those who follow; False when those are not ready for more."""
    touched = table_of(TouchedPerson)
    waiting = await tx.scalar(
        select(func.count()).select_from(select(touched.c.id).limit(low).subquery())
    )
    if waiting >= low:
        return False
    found: Import | None = await tx.scalar(
        select(Import)
        .where(
            col(Import.id) == import_id,
            col(Import.state) != ImportState.RUNNING,
            ~col(Import.is_followed),
        )
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return False
    made = table_of(ImportTouched)
    mine = (made.c.import_id == import_id) & (made.c.families > 0)
    if found.followed_to is not None:
        mine &= made.c.person_id > found.followed_to
    last = await tx.scalar(
        select(made.c.person_id)
        .where(mine)
        .order_by(made.c.person_id)
        .offset(slice_size - 1)
        .limit(1)
    )
    if last is not None:
        mine &= made.c.person_id <= last
    now: datetime = tx.clock.now()
    await tx.execute(
        insert(touched).from_select(
            ["person_id", "families", "at"],
            select(made.c.person_id, made.c.families, literal(now, Moment)).where(mine),
        )
    )
    found.followed_to = last
    if last is None:
        found.is_followed = True
        await tx.cancel(WAITS, [str(import_id)])
    return True
