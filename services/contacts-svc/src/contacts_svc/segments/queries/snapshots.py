"""Reads of frozen audiences."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.segments.errors import SnapshotUnknown
from contacts_svc.segments.model import (
    PAGE,
    FrozenAudience,
    FrozenMember,
    FrozenPage,
)
from contacts_svc.segments.schemas import (
    FrozenMemberOut,
    SnapshotOut,
)
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import encode_cursor, read_cursor

MAX_PAGES = 1_000_000


async def read_page(tx: ReadTx, launch_id: UUID, page: int) -> list[FrozenMember]:
    """Return a page of a frozen audience; empty after the last."""
    rows = plain(
        await tx.execute(
            select(
                col(FrozenPage.person_ids),
                col(FrozenPage.masks),
                col(FrozenPage.routes),
                col(FrozenAudience.clauses),
            )
            .join(FrozenAudience, col(FrozenAudience.launch_id) == col(FrozenPage.launch_id))
            .where(col(FrozenPage.launch_id) == launch_id, col(FrozenPage.page) == page)
        )
    )
    if not rows:
        return []
    person_ids, masks, routes, clauses = rows[0]
    # Without masks all clauses hold for everybody; without routes none were asked for.
    words: dict[int, list[str]] = {
        mask: [text for place, text in enumerate(clauses) if mask >> place & 1]
        for mask in set(masks)
    }
    because = [words[mask] for mask in masks] or [list(clauses)] * len(person_ids)
    members = zip(person_ids, because, routes or [""] * len(person_ids), strict=True)
    return [FrozenMember(*member) for member in members]


async def get_snapshot(tx: ReadTx, launch_id: UUID, *, cursor: str | None) -> SnapshotOut:
    """Return a page of 1,000 of a frozen audience. Raises `SnapshotUnknown`."""
    audience = await tx.get(FrozenAudience, launch_id)
    if audience is None:
        raise SnapshotUnknown
    keys = read_cursor(cursor, _page_number)
    page = keys[0] if keys else 0
    members = await read_page(tx, launch_id, page)
    return SnapshotOut(
        launch_id=launch_id,
        segment_id=audience.segment_id,
        segment_name=audience.segment_name,
        total=audience.total,
        frozen_at=audience.frozen_at,
        items=[
            FrozenMemberOut(person_id=one.person_id, because=list(one.because)) for one in members
        ],
        next_cursor=encode_cursor(page + 1) if (page + 1) * PAGE < audience.total else None,
    )


def _page_number(text: str) -> int:
    number = int(text)
    if not 0 <= number < MAX_PAGES:
        message = "no such page"
        raise ValueError(message)
    return number
