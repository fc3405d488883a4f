"""Read what the post brought back."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.postal_returns.errors import MappingNotFound, PostNotFound
from orders_svc.postal_returns.model import PostalReturn, PostMapping, PostState
from orders_svc.postal_returns.reasons import SAVES, NextAction
from orders_svc.postal_returns.schemas import ReasonSum, ReportOut
from orders_svc.settings import OrdersSettings


async def get_piece(tx: ReadTx, return_id: UUID) -> PostalReturn:
    """Return a piece. Raises `PostNotFound`."""
    piece = await tx.get(PostalReturn, return_id)
    if piece is None:
        raise PostNotFound(f"No piece that came back has the id {return_id}")
    return piece


async def find_by_codes(tx: ReadTx, codes: Iterable[str]) -> dict[str, PostalReturn]:
    """Return the pieces that came back, by code."""
    rows = await tx.scalars(select(PostalReturn).where(col(PostalReturn.code).in_(set(codes))))
    return {piece.code: piece for piece in rows}


async def list_pieces(
    tx: ReadTx,
    *,
    state: PostState | None,
    next_action: NextAction | None,
    after: UUID | None,
    limit: int,
) -> list[PostalReturn]:
    """Return a page of pieces in the sequence of their noting."""
    statement = select(PostalReturn).order_by(col(PostalReturn.return_id)).limit(limit)
    if state is not None:
        statement = statement.where(col(PostalReturn.state) == state.value)
    if next_action is not None:
        statement = statement.where(col(PostalReturn.next_action) == next_action.value)
    if after is not None:
        statement = statement.where(col(PostalReturn.return_id) > after)
    return list(await tx.scalars(statement))


async def get_mapping(tx: ReadTx, name: str) -> PostMapping:
    """Return a mapping. Raises `MappingNotFound`."""
    mapping = await tx.get(PostMapping, name)
    if mapping is None:
        raise MappingNotFound(f"Declare it first: PUT /v1/postal-returns/mappings/{name}")
    return mapping


async def report(tx: ReadTx, *, since: datetime | None, until: datetime | None) -> ReportOut:
    """Return what came back in a time and what that cost; saved is what the next mailing to these people would cost."""
    statement = select(
        col(PostalReturn.reason),
        func.count().label("pieces"),
        func.sum(col(PostalReturn.cost_minor)).label("cost_minor"),
        func.count(col(PostalReturn.person_id).distinct()).label("people"),
    ).group_by(col(PostalReturn.reason))
    if since is not None:
        statement = statement.where(col(PostalReturn.came_at) >= since)
    if until is not None:
        statement = statement.where(col(PostalReturn.came_at) < until)
    letter_minor = tx.settings(OrdersSettings).letter_cost_minor
    rows = await tx.execute(statement.order_by(col(PostalReturn.reason)))
    reasons = [
        ReasonSum(
            reason=row.reason,
            pieces=row.pieces,
            cost_minor=int(row.cost_minor),
            saving_minor=row.people * letter_minor if row.reason in SAVES else 0,
        )
        for row in rows
    ]
    waiting = await tx.execute(
        select(col(PostalReturn.next_action), func.count().label("pieces"))
        .where(col(PostalReturn.state) == PostState.OPEN.value)
        .group_by(col(PostalReturn.next_action))
    )
    return ReportOut(
        pieces=sum(one.pieces for one in reasons),
        cost_minor=sum(one.cost_minor for one in reasons),
        saving_minor=sum(one.saving_minor for one in reasons),
        reasons=reasons,
        waiting={row.next_action: row.pieces for row in waiting},
    )
