"""Asking the owner of a mailbox, and what their yes does."""

from collections.abc import Container, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.intake import events, queries
from contacts_svc.intake.boxes import Box, boxes_of
from contacts_svc.intake.model import (
    Confirmation,
    ConfirmationSlot,
    Form,
    Lead,
    LeadAnswer,
)
from contacts_svc.intake.schemas import GivenAfter
from contacts_svc.intake.usecases import claims, guards, knowledge
from contacts_svc.people import queries as people_queries
from contacts_svc.people import usecases as people
from contacts_svc.people.model import Person
from contacts_svc.people.rules import address_hash, canonical, normalise_email
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import PermissionNow, Statement
from contacts_svc.visits import usecases as visits
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx

ASK_AGAIN_AFTER = timedelta(hours=24)
QUESTION_LIVES = timedelta(days=14)
RETRY_TIMER = "intake.confirmation"
LEAD_FIELDS = (
    "preferred_name",
    "given_name",
    "family_name",
    "full_name",
    "street",
    "postal_code",
    "city",
    "country",
    "language",
)


async def ask_owner(tx: Tx, form: Form, lead: Lead, email: str) -> None:
    """Have the owner of the address asked, unless all was confirmed, or this mailbox was asked within 24 hours.

    A question that must wait for its turn is asked when the 24 hours are over. A mailbox that did not answer three
    times is not asked again, and all forms together ask so many mailboxes an hour.
    """
    granted = set(
        await tx.scalars(
            select(col(PermissionNow.purpose)).where(
                col(PermissionNow.person_id) == lead.person_id,
                col(PermissionNow.channel) == Channel.EMAIL.value,
                col(PermissionNow.state) == PermissionState.GRANTED.value,
            )
        )
    )
    asks = await _open_boxes(tx, form, lead, granted)
    if not asks and not knowledge.gives(form, GivenAfter.CONFIRMATION):
        return
    now = tx.clock.now()
    mailbox = canonical(normalise_email(email))
    if await guards.is_deaf(tx, mailbox):
        return
    if not await guards.may_ask_more(tx):
        # Somebody may be using our forms against mailboxes of others: the rest waits for another hour.
        spread = timedelta(seconds=lead.id.int % 3_600)
        await _ask_at(tx, lead, email, guards.hour_of(now) + guards.HOUR + spread)
        return
    slots = table_of(ConfirmationSlot)
    slot = insert(slots).values(address=mailbox, last_at=now)
    mine = await tx.scalar(
        slot.on_conflict_do_update(
            index_elements=["address"],
            set_={"last_at": slot.excluded.last_at},
            where=slots.c.last_at <= now - ASK_AGAIN_AFTER,
        ).returning(slots.c.address)
    )
    asked = await tx.scalar(
        select(col(Confirmation.id)).where(
            col(Confirmation.lead_id) == lead.id,
            col(Confirmation.requested_at) > now - ASK_AGAIN_AFTER,
        )
    )
    if mine is None:
        if asked is None:
            last_at = await tx.scalar(select(slots.c.last_at).where(slots.c.address == mailbox))
            await _ask_at(tx, lead, email, (last_at or now) + ASK_AGAIN_AFTER)
        return
    if not await guards.count_question(tx, mailbox):
        return
    question = Confirmation(**question_values(lead, email, asks, now=now))
    tx.add(question)
    await tx.cancel(RETRY_TIMER, [str(lead.id)])
    person = await tx.get(Person, lead.person_id)
    name = person.preferred_name if person else ""
    tx.stage(
        events.confirmation_requested(
            question,
            form,
            preferred_name=name,
            path=path_of(tx, question.id, question.expires_at),
        )
    )
    await guards.count(tx, guards.ASKED)


def question_values(
    lead: Lead, email: str, asks: Mapping[str, Mapping[str, Any]], *, now: datetime
) -> dict[str, Any]:
    """Return a new question about a lead, by the names of its columns."""
    return {
        "id": new_id(),
        "lead_id": lead.id,
        "form_id": lead.form_id,
        "person_id": lead.person_id,
        "email": email,
        "language": lead.language,
        "purposes": sorted({purpose for box in asks.values() for purpose in box["purposes"]}),
        "text_shown": "\n".join(box["text"] for box in asks.values()),
        "text_version": ", ".join(box["version"] for box in asks.values()),
        "boxes": asks,
        "requested_at": now,
        "expires_at": now + QUESTION_LIVES,
    }


def path_of(tx: ReadTx, question_id: UUID, expires_at: datetime) -> str:
    """Return the signed path under which a question is answered."""
    signer = tx.use(LinkSigner)
    return f"/p/confirm/{signer.make('confirm', question_id.bytes, expires_at=expires_at)}"


def asked_of(box: Box, words: tuple[str, str], granted: Container[str]) -> dict[str, Any] | None:
    """Return what the owner of a mailbox is asked about a ticked box; None when all of it is granted, or by mail nothing."""
    if Channel.EMAIL.value not in box.channels:
        return None
    purposes = [purpose for purpose in box.purposes if purpose not in granted]
    text, version = words
    return {"text": text, "version": version, "purposes": purposes} if purposes else None


async def _ask_at(tx: Tx, lead: Lead, email: str, due_at: datetime) -> None:
    await tx.schedule(RETRY_TIMER, str(lead.id), due_at, {"lead_id": lead.id, "email": email})


async def _open_boxes(
    tx: ReadTx, form: Form, lead: Lead, granted: Container[str]
) -> dict[str, dict[str, Any]]:
    """Return the ticked boxes of which something is not granted yet, with the words that were seen."""
    if not form.double_opt_in:
        return {}
    known = boxes_of(form)
    asks: dict[str, dict[str, Any]] = {}
    for key, seen in lead.boxes.items():
        box = known.get(key)
        if box is None or asked_of(box, ("", ""), granted) is None:
            continue
        words = await queries.consent_words(tx, form, box, Language(lead.language), seen)
        asks[key] = asked_of(box, words, granted) or {}
    return asks


async def ask_later(tx: Tx, lead_id: UUID, email: str) -> None:
    """Ask the owner now that the mailbox may be asked again; nothing when the person is gone."""
    lead = await tx.get(Lead, lead_id)
    person = await tx.get(Person, lead.person_id) if lead else None
    if lead is None or person is None or person.is_erased:
        return
    await ask_owner(tx, await queries.get_form_by_id(tx, lead.form_id), lead, email)


async def forget_leads(tx: Tx, person_id: UUID) -> None:
    """Delete what a person has posted, the questions about it, and their visits."""
    leads = await tx.scalars(
        delete(table_of(Lead)).where(col(Lead.person_id) == person_id).returning(col(Lead.id))
    )
    await tx.cancel(RETRY_TIMER, [str(lead_id) for lead_id in leads])
    await tx.execute(delete(table_of(LeadAnswer)).where(col(LeadAnswer.person_id) == person_id))
    await visits.forget_visits(tx, person_id)
    emails = await tx.scalars(
        delete(table_of(Confirmation))
        .where(col(Confirmation.person_id) == person_id)
        .returning(col(Confirmation.email))
    )
    mailboxes = {canonical(normalise_email(email)) for email in emails}
    await tx.execute(
        delete(table_of(ConfirmationSlot)).where(
            col(ConfirmationSlot.address).in_(sorted(mailboxes))
        )
    )


async def forget_slots(tx: Tx) -> None:
    """Delete what counts mailboxes, once they may be asked again."""
    await tx.execute(
        delete(table_of(ConfirmationSlot)).where(
            col(ConfirmationSlot.last_at) < tx.clock.now() - ASK_AGAIN_AFTER
        )
    )


async def confirm(tx: Tx, question: queries.OpenQuestion, *, evidence: Mapping[str, Any]) -> None:
    """Enter the owner's yes; a second press changes nothing."""
    asked, form = question.confirmation, question.form
    now = tx.clock.now()
    table = table_of(Confirmation)
    first = await tx.scalar(
        update(table)
        .where(table.c.id == asked.id, table.c.confirmed_at.is_(None))
        .values(confirmed_at=now)
        .returning(table.c.id)
    )
    if first is None:
        return
    lead = await tx.get(Lead, asked.lead_id)
    posted = lead.evidence if lead else {}
    proof = {
        **evidence,
        "form_key": form.key,
        "lead_id": str(asked.lead_id),
        "confirmation_id": str(asked.id),
        "asked_at": asked.requested_at.isoformat(),
        "address_hash": address_hash(
            people_queries.suppression_key(tx), ("email", asked.email)
        ).hex(),
        "posted": {**posted, "at": lead.first_at.isoformat() if lead else ""},
    }
    await permissions.record(
        tx,
        [
            Statement(
                asked.person_id,
                Channel.EMAIL,
                Purpose(purpose),
                PermissionState.GRANTED,
                f"form {form.key}: {form.source}",
                now,
                box["text"],
                box["version"],
                evidence={**proof, "box": key},
            )
            for key, box in asked.boxes.items()
            for purpose in box["purposes"]
        ],
    )
    await guards.note_answer(tx, canonical(normalise_email(asked.email)))
    if lead is not None:
        await _fill_in(tx, form, lead, asked.email)
        await knowledge.confirm_answers(tx, form, lead)
        await knowledge.join_list(tx, form, lead)
        await knowledge.wish_topics(tx, lead)
        await knowledge.confirm_visitor(tx, lead)


async def _fill_in(tx: Tx, form: Form, lead: Lead, email: str) -> None:
    """Fill what is not known of the person with what they had posted, now that it is theirs."""
    person = await people_queries.get_for_update(tx, lead.person_id)
    named = {name for name in LEAD_FIELDS if name not in ("country", "language")}
    empty = {
        name: value
        for name, value in lead.fields.items()
        if name in named and value and not getattr(person, name)
    }
    if empty:
        await people.change_contact(tx, person, empty, email=None, phone=None)
    await claims.adopt(tx, person, lead, form, confirmed_email=email)
