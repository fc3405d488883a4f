"""Batches of letters: order one, hand it over, take it back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Text, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from kantis_contracts.contacts import PersonCard
from kantis_contracts.orders import PostReturned
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.base import Uid
from messaging_svc.caps import spending
from messaging_svc.caps.spending import days_of
from messaging_svc.dispatch.sql import LOCK_PERSONS
from messaging_svc.letters import events, queries, sql
from messaging_svc.letters.errors import BatchBusy, LettersOverturned, NoWindow
from messaging_svc.letters.model import letter_address, letter_batch, letter_piece
from messaging_svc.letters.schemas import BatchIn
from messaging_svc.letters.states import BatchState
from messaging_svc.letters.windows import COUNTRIES, window_for
from messaging_svc.openings.usecases import WAKE as WAKE_SENDERS
from messaging_svc.quarantine.epoch_file import read_epoch
from messaging_svc.sets import recordset
from messaging_svc.settings import MessagingSettings

FORGET_TIMER = "letters.forget_files"
_SHOWN_OVERTURNED = 50


def _address_row(card: PersonCard) -> dict[str, Any]:
    address = None if card.is_erased else card.address
    return {
        "person_id": card.person_id,
        "version": card.version,
        "name": "" if card.is_erased else card.full_name,
        "street": address.street if address else "",
        "postal_code": address.postal_code if address else "",
        "city": address.city if address else "",
        "country": address.country if address else card.country,
        "is_undeliverable": "address" in card.undeliverable,
    }


async def keep_addresses(tx: Tx, cards: Sequence[PersonCard]) -> None:
    """Store where people live, where it is newer than what is held."""
    newest: dict[UUID, PersonCard] = {}
    for card in cards:
        held = newest.get(card.person_id)
        if held is None or held.version < card.version:
            newest[card.person_id] = card
    rows = [_address_row(newest[person_id]) for person_id in sorted(newest)]
    kinds: dict[str, Any] = {
        "person_id": Uid, "version": BigInteger(), "name": Text(), "street": Text(), "postal_code": Text(),
        "city": Text(), "country": Text(), "is_undeliverable": Boolean(),
    }  # fmt: skip
    new = recordset("new", rows, **kinds)
    names = list(kinds)
    statement = upsert(letter_address).from_select(
        names, new.select().with_only_columns(*(new.c[name] for name in names))
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["person_id"],
            set_={name: statement.excluded[name] for name in names[1:]},
            where=letter_address.c.version < statement.excluded.version,
        )
    )


async def order_batch(tx: Tx, wanted: BatchIn) -> UUID:
    """Have a batch made of the letters that wait; it is collected, printed and listed in the background.

    Raises:
        NoWindow: we do not know where that country's envelopes have their window.
    """
    print_on = wanted.print_on or tx.clock.now().date()
    if window_for(wanted.country, print_on) is None:
        raise NoWindow(
            f"There is no address window for {wanted.country} on {print_on}; there are windows for"
            f" {', '.join(COUNTRIES)}"
        )
    batch_id = new_id()
    await tx.execute(
        insert(letter_batch).values(
            id=batch_id,
            country=wanted.country,
            campaign_id=wanted.campaign_id,
            print_on=print_on,
            state=BatchState.COLLECTING,
            letters=0,
            pages=0,
            pdf_bytes=0,
            problem="",
            printing_house="",
            created_by=tx.actor,
            created_at=tx.clock.now(),
        )
    )
    tx.audit("letters.order", str(batch_id), country=wanted.country)
    await tx.execute(sql.WAKE)
    return batch_id


async def hand_over(tx: Tx, batch_id: UUID, printing_house: str) -> None:
    """Record that a batch was handed to a printing house: its letters are accepted, and nobody's is sent again.

    The gate looks once more. When somebody has said no or moved since, nothing is recorded.

    Raises:
        BatchNotFound: there is no such batch.
        BatchBusy: it is not ready.
        LettersOverturned: letters in it must not be sent as they are printed; print the batch anew.
    """
    batch = await queries.get_batch_row(tx, batch_id, lock=True)
    if batch.state != BatchState.READY:
        raise BatchBusy(
            f"The batch is {batch.state}; only a batch that is ready can be handed over"
        )
    pieces = {
        row.message_id: row
        for row in await tx.execute(
            select(letter_piece.c.message_id, letter_piece.c.person_id, letter_piece.c.position)
            .where(letter_piece.c.batch_id == batch_id)
            .order_by(letter_piece.c.position)
        )
    }
    persons = sorted({row.person_id for row in pieces.values()})
    locked = list(await tx.scalars(LOCK_PERSONS, {"persons": persons}))
    settings = tx.settings(MessagingSettings)
    today, _ = days_of(tx.clock.now(), settings)
    budget = await spending.within_budget(tx, list(pieces), today)
    handed = set(
        await tx.scalars(
            sql.HAND_OVER,
            {
                "batch": batch_id,
                "locked": locked,
                "affordable": list(pieces if budget is None else budget.affordable),
                "now": tx.clock.now(),
                "epoch": read_epoch(settings.data_dir),
                "reason": f"batch {batch.number}, {printing_house}"[:500],
            },
        )
    )
    overturned = [row for id_, row in pieces.items() if id_ not in handed]
    # A letter whose person was forgotten has left the table; it is still on paper.
    missing = batch.letters - len(pieces)
    if overturned or missing:
        raise LettersOverturned(
            f"{len(overturned) + missing} of {batch.letters} letters are not allowed any more, or their address has"
            f" changed; print the batch anew: POST /v1/letters/batches/{batch_id}/reprint",
            errors=[
                {"in": "batch", "field": str(row.message_id), "message": f"letter {row.position}"}
                for row in overturned[:_SHOWN_OVERTURNED]
            ],
        )
    if budget is not None:
        await spending.count_spending(tx, budget.uncounted & handed, today)
    await _end(tx, batch_id, BatchState.HANDED_OVER, printing_house=printing_house)
    tx.audit("letters.hand_over", str(batch_id), letters=len(handed), to=printing_house)


async def reprint(tx: Tx, batch_id: UUID) -> None:
    """Collect and print a batch anew, from those that may be sent now, at the addresses that hold now.

    Raises:
        BatchNotFound: there is no such batch.
        BatchBusy: it is not ready.
    """
    batch = await queries.get_batch_row(tx, batch_id, lock=True)
    if batch.state != BatchState.READY:
        raise BatchBusy(f"The batch is {batch.state}; only a batch that is ready is printed anew")
    await _give_back(tx, batch_id)
    await tx.execute(
        update(letter_batch)
        .where(letter_batch.c.id == batch_id)
        .values(state=BatchState.COLLECTING, letters=0, pages=0, pdf_bytes=0, ready_at=None)
    )
    tx.audit("letters.reprint", str(batch_id))
    await tx.execute(sql.WAKE)


async def discard(tx: Tx, batch_id: UUID) -> None:
    """Give up a batch that was not handed over; its letters wait for another one.

    Raises:
        BatchNotFound: there is no such batch.
        BatchBusy: it has ended, or is being worked on.
    """
    batch = await queries.get_batch_row(tx, batch_id, lock=True)
    is_worked_on = batch.worked_on_until is not None and batch.worked_on_until > tx.clock.now()
    if batch.ended_at is not None or is_worked_on:
        raise BatchBusy(
            "The batch is being printed; wait until it is ready"
            if is_worked_on
            else f"The batch is {batch.state}"
        )
    await _give_back(tx, batch_id)
    await _end(tx, batch_id, BatchState.DISCARDED)
    tx.audit("letters.discard", str(batch_id))


async def _give_back(tx: Tx, batch_id: UUID) -> None:
    await tx.execute(sql.GIVE_BACK, {"batch": batch_id, "now": tx.clock.now()})
    await tx.execute(delete(letter_piece).where(letter_piece.c.batch_id == batch_id))


async def _end(tx: Tx, batch_id: UUID, state: BatchState, *, printing_house: str = "") -> None:
    now = tx.clock.now()
    await tx.execute(
        update(letter_batch)
        .where(letter_batch.c.id == batch_id)
        .values(state=state, ended_at=now, printing_house=printing_house)
    )
    await tx.schedule(
        FORGET_TIMER,
        str(batch_id),
        now + timedelta(days=tx.settings(MessagingSettings).letter_files_days),
    )
    await tx.execute(WAKE_SENDERS)
    await tx.execute(sql.WAKE)


async def mark_forgotten(tx: Tx, batch_id: UUID) -> None:
    """Record that the files of a batch are deleted."""
    await tx.execute(
        update(letter_batch)
        .where(letter_batch.c.id == batch_id)
        .values(files_deleted_at=tx.clock.now())
    )


async def identify(tx: Tx, items: Sequence[PostReturned]) -> None:
    """Tell whose letters came back, by their return marks; of those that nobody knows, that nobody does."""
    asked = [one for one in items if one.person_id is None]
    found = await queries.owners_by_return(tx, [one.code for one in asked])
    tx.stage(events.letters_identified(asked, found))
