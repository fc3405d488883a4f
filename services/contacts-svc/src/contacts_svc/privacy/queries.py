"""Reads of erasures."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlmodel import col

from contacts_svc.people.queries import any_of
from contacts_svc.privacy.errors import ErasureUnknown
from contacts_svc.privacy.inside import KEPT
from contacts_svc.privacy.model import ErasureRow, Receipt, ReceiptState
from contacts_svc.privacy.schemas import ErasureOut, KeptOut, ReceiptOut
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, moment, read_cursor


async def get_erasure(tx: ReadTx, erasure_id: UUID) -> ErasureOut:
    """Return how far an erasure is. Raises `ErasureUnknown`."""
    row = await tx.get(ErasureRow, erasure_id)
    if row is None:
        raise ErasureUnknown("GET /v1/privacy/erasures lists those that there are")
    return (await _told(tx, [row]))[0]


async def list_erasures(
    tx: ReadTx, *, is_open: bool, cursor: str | None, limit: int
) -> Page[ErasureOut]:
    """Return erasures, the newest first; those alone that wait for an answer, when asked so."""
    rows = select(ErasureRow).order_by(
        col(ErasureRow.requested_at).desc(), col(ErasureRow.id).desc()
    )
    if is_open:
        rows = rows.where(
            col(ErasureRow.id).in_(
                select(col(Receipt.erasure_id)).where(col(Receipt.state) == ReceiptState.ASKED)
            )
        )
    after = read_cursor(cursor, moment, UUID)
    if after is not None:
        rows = rows.where(tuple_(col(ErasureRow.requested_at), col(ErasureRow.id)) < tuple(after))
    found = list(await tx.scalars(rows.limit(limit + 1)))
    more, found = len(found) > limit, found[:limit]
    following = (
        encode_cursor(found[-1].requested_at.isoformat(), str(found[-1].id)) if more else None
    )
    return Page(items=await _told(tx, found), next_cursor=following)


async def _told(tx: ReadTx, rows: Sequence[ErasureRow]) -> list[ErasureOut]:
    now = tx.clock.now()
    receipts: dict[UUID, list[ReceiptOut]] = defaultdict(list)
    for one in await tx.scalars(
        select(Receipt)
        .where(col(Receipt.erasure_id) == any_of([row.id for row in rows]))
        .order_by(col(Receipt.erasure_id), col(Receipt.service))
    ):
        late = one.state == ReceiptState.ASKED and one.overdue_at <= now
        receipts[one.erasure_id].append(
            ReceiptOut(
                service=one.service,
                state="overdue" if late else one.state,
                asks=one.asks,
                asked_at=one.asked_at,
                done_at=one.done_at,
                removed=one.removed,
                kept=[KeptOut(**kept) for kept in one.kept],
            )
        )
    return [_out(row, [_own(row), *receipts[row.id]]) for row in rows]


def _own(row: ErasureRow) -> ReceiptOut:
    return ReceiptOut(
        service="contacts",
        state=ReceiptState.DONE,
        asks=1,
        asked_at=row.requested_at,
        done_at=row.requested_at,
        removed=row.removed,
        kept=[
            KeptOut(kind=kind, rows=0, reason=reason, until=None) for kind, reason in KEPT.items()
        ],
    )


def _out(row: ErasureRow, receipts: list[ReceiptOut]) -> ErasureOut:
    states = {one.state for one in receipts}
    state = "overdue" if "overdue" in states else "running" if "asked" in states else "done"
    return ErasureOut(
        erasure_id=row.id,
        person_id=row.person_id,
        merged_ids=[UUID(one) for one in row.person_ids if UUID(one) != row.person_id],
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        state=state,
        services=receipts,
    )
