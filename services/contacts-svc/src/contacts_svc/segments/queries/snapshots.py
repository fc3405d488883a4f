"""Reads of frozen audiences."""

from uuid import UUID

from sqlalchemy import ARRAY, Text, cast, select
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.segments.errors import SnapshotUnknown
from contacts_svc.segments.model import (
    PAGE,
    FrozenAudience,
    FrozenMember,
    FrozenPage,
    ToldPage,
)
from contacts_svc.segments.schemas import (
    FrozenMemberOut,
    SnapshotOut,
)
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import encode_cursor, read_cursor

MAX_PAGES = 1_000_000


async def read_told(tx: ReadTx, launch_id: UUID, first: int, count: int) -> list[ToldPage]:
    """Return so many pages of a frozen audience from the first one on, as they are told; none after the last."""
    rows = await tx.execute(
        select(
            cast(col(FrozenPage.person_ids), ARRAY(Text())),
            col(FrozenPage.masks),
            col(FrozenPage.routes),
            col(FrozenAudience.clauses),
        )
        .join(FrozenAudience, col(FrozenAudience.launch_id) == col(FrozenPage.launch_id))
        .where(
            col(FrozenPage.launch_id) == launch_id,
            col(FrozenPage.page) >= first,
            col(FrozenPage.page) < first + count,
        )
        .order_by(col(FrozenPage.page))
    )
    return [ToldPage(*row) for row in plain(rows)]


async def read_page(tx: ReadTx, launch_id: UUID, page: int) -> list[FrozenMember]:
    """Return a page of a frozen audience; empty after the last."""
    return [
        FrozenMember(UUID(person_id), because)
        for told in await read_told(tx, launch_id, page, 1)
        for person_id, because in zip(
            told.person_ids,
            [told.because(mask) for mask in told.masks]
            or [list(told.clauses)] * len(told.person_ids),
            strict=True,
        )
    ]


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
