"""Plan answers to people who have written, by the way that they wrote, and calls to those who asked for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kantis_contracts.values import Channel
from kantis_kit.tx import Tx
from messaging_svc.dispatch.usecases import plan


@dataclass(frozen=True, slots=True)
class MailReply:
    """An answer by mail, in the thread of the mails that it refers to; there is one per `answer_id`."""

    answer_id: UUID
    person_id: UUID | None
    to_email: str
    language: str
    subject: str
    text: str
    references: tuple[str, ...]
    """Message-IDs, the oldest first; the last one is what is answered."""


async def plan_mail_replies(tx: Tx, replies: Sequence[MailReply]) -> None:
    """Plan answers to people who have written; they go to the address that wrote."""
    await plan(
        tx,
        [
            {
                "origin": "reply",
                "origin_id": one.answer_id,
                "person_id": one.person_id,
                "builtin": "answer",
                "facts": {
                    "subject": one.subject,
                    "text": one.text,
                    "references": list(one.references),
                },
                "to_email": one.to_email,
                "language": one.language,
            }
            for one in replies
        ],
    )


@dataclass(frozen=True, slots=True)
class TextReply:
    """An answer by text message; there is one per `answer_id`, however often it is planned."""

    answer_id: UUID
    person_id: UUID | None
    to_phone: str
    language: str
    text: str


async def plan_replies(tx: Tx, replies: Sequence[TextReply]) -> None:
    """Plan answers to people who have written; they go to the number that wrote."""
    await plan(
        tx,
        [
            {
                "origin": "reply",
                "origin_id": one.answer_id,
                "person_id": one.person_id,
                "channel": Channel.SMS.value,
                "builtin": "plain_text",
                "facts": {"text": one.text},
                "to_phone": one.to_phone,
                "language": one.language,
            }
            for one in replies
        ],
    )


@dataclass(frozen=True, slots=True)
class CallWish:
    """Somebody wants to be called; there is one call for a `wish_id`, however often it is planned."""

    wish_id: UUID
    person_id: UUID | None
    to_phone: str
    """In E.164, as the person gave it or as their card has it."""
    language: str
    call_at: datetime
    preferred_name: str = ""
    about: str = ""
    """What they want to talk about; whoever calls reads it."""


async def plan_calls(tx: Tx, wishes: Sequence[CallWish]) -> None:
    """Plan calls to people who asked for one, not before the moment that they named."""
    await plan(
        tx,
        [
            {
                "origin": "reply",
                "origin_id": wish.wish_id,
                "person_id": wish.person_id,
                "channel": Channel.PHONE.value,
                "builtin": "plain_text",
                "facts": {"text": wish.about},
                "to_phone": wish.to_phone,
                "language": wish.language,
                "preferred_name": wish.preferred_name,
                "next_at": wish.call_at,
            }
            for wish in wishes
        ],
    )
