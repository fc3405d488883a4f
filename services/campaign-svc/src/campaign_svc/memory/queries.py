"""Reads of what somebody's campaigns came to."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.campaigns.model import Campaign, Outcome, Piece
from campaign_svc.campaigns.schemas import PieceState
from campaign_svc.memory.model import PersonReason
from campaign_svc.memory.schemas import ReasonOut, RememberedOut
from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx

SEEN = "seen"
_NOT_ASKED = (PieceState.WAITING, PieceState.LEFT_OUT)
_SENT = (PieceState.RELEASED, PieceState.ACCEPTED, PieceState.IN_DOUBT)


async def list_remembered(
    tx: ReadTx, person_id: UUID, *, after: UUID | None, limit: int
) -> list[RememberedOut]:
    """Return a page of the campaigns that had somebody in their audience, in the order of their pieces."""
    leads = await resolve(tx, person_alias, [person_id])
    known_id = leads.get(person_id, person_id)
    seen = (
        select(func.min(col(Outcome.at)))
        .where(col(Outcome.piece_id) == col(Piece.id), col(Outcome.kind) == SEEN)
        .scalar_subquery()
    )
    statement: Select[Any, Any, Any] = (
        select(Piece, col(Campaign.name).label("campaign_name"), seen.label("seen_at"))
        .join(Campaign, col(Campaign.id) == col(Piece.campaign_id))
        .where(col(Piece.person_id) == known_id)
        .order_by(col(Piece.id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(Piece.id) > after)
    rows = (await tx.execute(statement)).all()
    reasons = await _reasons(tx, known_id) if rows else {}
    return [_remembered(row, reasons.get(row.Piece.id, [])) for row in rows]


async def _reasons(tx: ReadTx, person_id: UUID) -> dict[UUID, list[ReasonOut]]:
    """Return what somebody has said against buying, by the piece that had asked last before they said it."""
    asked = (
        select(col(Piece.id))
        .where(
            col(Piece.person_id) == person_id,
            col(Piece.state).in_([one.value for one in _SENT]),
            col(Piece.released_at) <= col(PersonReason.said_at),
        )
        .order_by(col(Piece.released_at).desc(), col(Piece.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = await tx.execute(
        select(PersonReason, asked.label("piece_id"))
        .where(col(PersonReason.person_id) == person_id, ~col(PersonReason.is_taken_back))
        .order_by(col(PersonReason.said_at), col(PersonReason.insight_id))
    )
    found: defaultdict[UUID, list[ReasonOut]] = defaultdict(list)
    for row in rows:
        found[row.piece_id].append(ReasonOut.model_validate(row.PersonReason))
    return found


def _remembered(row: Row[Any], reasons: list[ReasonOut]) -> RememberedOut:
    piece: Piece = row.Piece
    state = PieceState(piece.state)
    return RememberedOut(
        id=piece.id,
        campaign_id=piece.campaign_id,
        campaign_name=row.campaign_name,
        channel=piece.channel,
        state=state,
        reason=piece.reason,
        asked_at=piece.released_at if state in _SENT else None,
        seen_at=row.seen_at,
        answered_at=piece.responded_at,
        ordered_at=piece.ordered_at,
        bought_at=piece.paid_at,
        reasons=reasons,
        sentence=_sentence(piece, state, is_seen=row.seen_at is not None)
        + _because(piece, reasons),
    )


def _sentence(piece: Piece, state: PieceState, *, is_seen: bool) -> str:
    said = "was asked and has not been seen to look at it"
    if piece.paid_at is not None:
        said = "has bought"
    elif piece.ordered_at is not None:
        said = "has ordered and not paid yet"
    elif piece.responded_at is not None:
        said = "has answered and ordered nothing"
    elif is_seen:
        said = "has looked at it and not answered"
    elif state in _NOT_ASKED:
        said = f"was not asked: {piece.reason or state.value}"
    elif state not in _SENT:
        said = f"was not reached: {piece.reason or state.value}"
    return said


def _because(piece: Piece, reasons: Sequence[ReasonOut]) -> str:
    if piece.paid_at is not None or not reasons:
        return ""
    return f", and says: {', '.join(dict.fromkeys(one.term for one in reasons))}"
