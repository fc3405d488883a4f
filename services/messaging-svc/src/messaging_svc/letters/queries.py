"""Read batches of letters."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select

from kantis_kit.tx import ReadTx
from messaging_svc.dispatch.model import dispatch, dispatch_source
from messaging_svc.letters import sql
from messaging_svc.letters.errors import BatchNotFound, LetterNotFound
from messaging_svc.letters.model import letter_address, letter_batch, letter_piece
from messaging_svc.letters.schemas import BatchOut, PieceOut, WaitingList, WaitingOut
from messaging_svc.letters.states import BatchState


async def get_batch_row(tx: ReadTx, batch_id: UUID, *, lock: bool = False) -> Row[Any]:
    """Return a batch.

    Raises:
        BatchNotFound: there is none.
    """
    statement = select(letter_batch).where(letter_batch.c.id == batch_id)
    row = (await tx.execute(statement.with_for_update() if lock else statement)).first()
    if row is None:
        raise BatchNotFound("No batch of letters has this id")
    return row


async def get_batch(tx: ReadTx, batch_id: UUID) -> BatchOut:
    """Return a batch as it is shown.

    Raises:
        BatchNotFound: there is none.
    """
    return BatchOut.model_validate(await get_batch_row(tx, batch_id))


async def list_batches(
    tx: ReadTx, *, state: BatchState | None, after: UUID | None, limit: int
) -> list[BatchOut]:
    """Return a page of batches in the order of their making."""
    statement = select(letter_batch).order_by(letter_batch.c.id).limit(limit)
    if state:
        statement = statement.where(letter_batch.c.state == state.value)
    if after:
        statement = statement.where(letter_batch.c.id > after)
    return [BatchOut.model_validate(row) for row in await tx.execute(statement)]


async def list_waiting(tx: ReadTx) -> WaitingList:
    """Return how many letters wait, by country."""
    rows = await tx.execute(sql.WAITING)
    return WaitingList(items=[WaitingOut.model_validate(row) for row in rows])


async def find_piece_by_return(tx: ReadTx, return_code: str) -> PieceOut:
    """Return the letter that carries a return mark.

    Raises:
        LetterNotFound: none does.
    """
    return await _piece(tx, letter_piece.c.return_code == return_code)


async def owners_by_return(
    tx: ReadTx, return_codes: Collection[str]
) -> dict[str, dict[str, UUID | None]]:
    """Return of letters that carry these return marks whose they are, and of which campaign."""
    rows = await tx.execute(
        select(
            letter_piece.c.return_code,
            letter_piece.c.person_id,
            dispatch.c.piece_id,
            dispatch_source.c.campaign_id,
        )
        .join(dispatch, dispatch.c.id == letter_piece.c.message_id)
        .outerjoin(dispatch_source, dispatch_source.c.id == dispatch.c.source_id)
        .where(letter_piece.c.return_code.in_(return_codes))
    )
    return {
        row.return_code: {
            "person_id": row.person_id,
            "piece_id": row.piece_id,
            "campaign_id": row.campaign_id,
        }
        for row in rows
    }


async def get_piece(tx: ReadTx, batch_id: UUID, message_id: UUID) -> PieceOut:
    """Return a letter of a batch.

    Raises:
        LetterNotFound: there is none.
    """
    return await _piece(
        tx, (letter_piece.c.batch_id == batch_id) & (letter_piece.c.message_id == message_id)
    )


async def _piece(tx: ReadTx, condition: ColumnElement[bool]) -> PieceOut:
    row = (await tx.execute(select(letter_piece).where(condition))).first()
    if row is None:
        raise LetterNotFound("No letter of a batch is the one that was asked for")
    return PieceOut.model_validate(row)


async def find_address(tx: ReadTx, person_id: UUID) -> Row[Any] | None:
    """Return where a person lives; None when we do not know."""
    statement = select(letter_address).where(letter_address.c.person_id == person_id)
    return (await tx.execute(statement)).first()
