"""A person of ours answers: by mail and text message through the ledger, in a chat's stream, or on the telephone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.addresses import address_hash, phone_hash, wire_address
from messaging_svc.conversations import events, queries
from messaging_svc.conversations.errors import CannotAnswerHere
from messaging_svc.conversations.model import (
    LEASE,
    Direction,
    State,
    Way,
    conversation_message,
)
from messaging_svc.conversations.schemas import AnswerIn
from messaging_svc.conversations.usecases.desk import (
    Held,
    change,
    closing,
    must_be_free,
    turned,
    write,
)
from messaging_svc.dispatch.replies import (
    MailReply,
    TextReply,
    plan_mail_replies,
    plan_replies,
)
from messaging_svc.dispatch.usecases import name_of_mail
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.model import number_of
from messaging_svc.tracking.model import suppression

_MOST_REFERENCES = 10
_SUBJECTS: Mapping[Language, str] = {
    Language.NB: "Svar fra {company}",
    Language.SV: "Svar från {company}",
    Language.DA: "Svar fra {company}",
    Language.FI: "Vastaus: {company}",
    Language.EN: "Answer from {company}",
}


async def answer(tx: Tx, row: Held, body: AnswerIn, agent: str) -> None:
    """Answer. The row is locked and of the version that the agent has read: no two people answer at once.

    An answer is no advertising; it leaves through the ledger once, and not to an address at which mails come back.

    Raises:
        HeldBySomebody: another one has the conversation.
        CannotAnswerHere: they cannot be reached in this channel.
    """
    must_be_free(tx, row, agent)
    channel = Way(body.channel or row.channel)
    card = await queries.find_card(tx, row.person_id) if row.person_id else None
    if row.person_id and card is None:
        raise CannotAnswerHere("The person is not known here any more")
    address = await _address_for(tx, row, card, channel)
    message_id, name = new_id(), ""
    if channel is Way.SMS:
        reply = TextReply(message_id, row.person_id, address, row.language, body.text)
        await plan_replies(tx, [reply])
    elif channel is Way.EMAIL:
        await plan_mail_replies(tx, [await _mail(tx, row, body, message_id, address)])
        settings = tx.settings(MessagingSettings)
        name = name_of_mail(settings, "reply", message_id, row.person_id)
    await write(
        tx,
        row,
        Direction.OUT,
        channel,
        body.text,
        message_id=message_id,
        agent=agent,
        address=address,
        subject=body.subject,
        rfc_message_id=name,
    )
    state = State(body.then)
    now = tx.clock.now()
    values = turned(tx, row, state) | {"last_number": row.last_number + 1}
    values |= {"assignee": agent, "assigned_until": now + LEASE}
    if state is State.CLOSED:
        values |= closing(tx, "answered") | {"assignee": "", "assigned_until": None}
    elif row.state == State.CLOSED:
        values |= {"close_reason": "", "closed_by": "", "closed_at": None}
    await change(tx, row, values)
    tx.stage(events.replies_answered(row.id, row.person_id, at=now))


async def _address_for(tx: Tx, row: Held, card: Row[Any] | None, channel: Way) -> str:
    """Return where the answer goes: where they wrote from, else what is known of them."""
    if channel is Way.CHAT:
        if row.channel != Way.CHAT:
            raise CannotAnswerHere("They are not in a chat; answer by mail, SMS or telephone")
        return ""
    wrote_from = await tx.scalar(
        select(conversation_message.c.address)
        .where(
            conversation_message.c.conversation_id == row.id,
            conversation_message.c.direction == Direction.IN.value,
            conversation_message.c.channel == channel.value,
            conversation_message.c.address != "",
        )
        .order_by(conversation_message.c.number.desc())
        .limit(1)
    )
    if channel is Way.EMAIL:
        known = wrote_from or row.email or (card.email if card else "") or ""
        if wire_address(known) is None:
            raise CannotAnswerHere("No e-mail address of theirs is known; choose another channel")
        await _must_arrive(tx, address_hash(known))
        return str(known)
    number = number_of(wrote_from or row.phone or (card.phone if card else "") or "")
    if number is None:
        raise CannotAnswerHere("No telephone number of theirs is known; choose another channel")
    if channel is Way.SMS:
        await _must_arrive(tx, phone_hash(number))
    return number


async def _must_arrive(tx: Tx, hashed: bytes) -> None:
    bounced_at: datetime | None = await tx.scalar(
        select(suppression.c.added_at).where(
            suppression.c.address_hash == hashed, suppression.c.reason == "hard_bounce"
        )
    )
    if bounced_at is not None:
        raise CannotAnswerHere(
            f"What is sent there comes back, since {bounced_at.date().isoformat()}; choose another channel,"
            " or undo the bounce where somebody knows better"
        )


async def _mail(tx: Tx, row: Held, body: AnswerIn, message_id: UUID, address: str) -> MailReply:
    """Return the answer as a mail in its thread."""
    mails = list(
        await tx.scalars(
            select(conversation_message.c.rfc_message_id)
            .where(
                conversation_message.c.conversation_id == row.id,
                conversation_message.c.rfc_message_id != "",
            )
            .order_by(conversation_message.c.number.desc())
            .limit(_MOST_REFERENCES)
        )
    )
    company = tx.settings(MessagingSettings).company
    subject = body.subject or (
        f"Re: {row.subject}"
        if row.subject
        else _SUBJECTS[Language(row.language)].format(company=company)
    )
    return MailReply(
        answer_id=message_id,
        person_id=row.person_id,
        to_email=address,
        language=row.language,
        subject=" ".join(subject.split()),
        text=body.text,
        references=tuple(reversed(mails)),
    )
