"""What others say that concerns the response desk."""

from kantis_contracts.campaign import PieceReleasedV1
from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.messaging import ReplyAnsweredV1, ReplyReceivedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from orders_svc.codes.usecases import take_pieces
from orders_svc.responses import replies, usecases


@consumes(PieceReleasedV1, queue="orders.responses")
async def on_pieces_released(tx: Tx, event: PieceReleasedV1, _meta: Meta) -> None:
    """Learn the codes, and resolve the responses that came before them."""
    await take_pieces(tx, event)
    await usecases.resolve_responses(tx, [piece.response_code for piece in event.items])


@consumes(PersonChangedV1, queue="orders.responses")
async def on_persons_changed(tx: Tx, event: PersonChangedV1, _meta: Meta) -> None:
    """Forget what erased persons wrote."""
    erased = [card.person_id for card in event.items if card.is_erased]
    if erased:
        await usecases.forget_persons(tx, erased)


@consumes(ReplyReceivedV1, queue="orders.responses")
async def on_replies_received(tx: Tx, event: ReplyReceivedV1, _meta: Meta) -> None:
    """Make a response with a next step of what people have written."""
    await replies.take_replies(tx, event.items)


@consumes(ReplyAnsweredV1, queue="orders.responses")
async def on_replies_answered(tx: Tx, event: ReplyAnsweredV1, _meta: Meta) -> None:
    """Note that people were answered in their conversations."""
    await replies.take_answers(tx, event.items)
