"""A person decides on rows that a machine was not sure of."""

from uuid import UUID

from sqlmodel import col, select

from kantis_kit.tx import Tx
from orders_svc.response_files.errors import ReviewNotFound, RowRefused
from orders_svc.response_files.model import ResponseFile, Review, ReviewState
from orders_svc.response_files.rows import Refused, row_of
from orders_svc.response_files.schemas import DecisionIn, MappingIn
from orders_svc.response_files.usecases.taking import Doubtful, Register, draft_of
from orders_svc.responses.usecases import register_responses


async def decide(tx: Tx, review_id: UUID, body: DecisionIn) -> Review:
    """Take a row in review, as it was read or as a person corrects it, or drop it.

    Raises:
        ReviewNotFound: no row in review has this id.
        ReviewDecided: somebody has decided on it.
        RowRefused: as it is corrected, it makes no response; nothing has changed.
        PersonUnknown: no card of the person is here.
    """
    review: Review | None = await tx.scalar(
        select(Review).where(col(Review.review_id) == review_id).with_for_update()
    )
    if review is None:
        raise ReviewNotFound(f"No row in review has the id {review_id}")
    file = await tx.get(ResponseFile, review.file_id)
    assert file is not None  # noqa: S101 - a reference holds it
    by = body.decided_by or tx.actor
    read = {**review.read, **body.corrections}
    if body.decision == "drop":
        review.decide(ReviewState.DROPPED, by=by, at=tx.clock.now(), note=body.note)
        return review
    review.decide(ReviewState.TAKEN, by=by, at=tx.clock.now(), note=body.note)
    review.response_id = await _register(tx, review, file, read, body.person_id)
    return review


async def _register(
    tx: Tx, review: Review, file: ResponseFile, read: dict[str, str], person_id: UUID | None
) -> UUID:
    mapping = MappingIn.model_validate(file.reading)
    if person_id is not None:
        read = {name: text for name, text in read.items() if name != "code"}
    try:
        row = row_of(read, mapping, now=tx.clock.now())
        register = await Register.of(tx, mapping, [row])
        draft = draft_of(
            row,
            register,
            person_id=person_id or register.who(row),
            text=str(review.review_id),
            file=file,
            number=review.row_number,
        )
    except Refused as refusal:
        raise RowRefused(f"{refusal}") from refusal
    except Doubtful as doubt:
        raise RowRefused(f"{doubt.args[0]}; say who it is with person_id") from doubt
    (registered,) = await register_responses(tx, [draft])
    return registered.response.response_id
