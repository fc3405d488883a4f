"""What people of ours do with a conversation beside answering it: take it, hand it on, note, merge, close."""

from collections.abc import Mapping
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from kantis_kit.db.aliases import resolve
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.aliases import person_alias
from messaging_svc.conversations import events, queries
from messaging_svc.conversations.errors import (
    CannotMerge,
    ConversationNotFound,
    ConversationOver,
    HeldBySomebody,
    PersonNotKnown,
)
from messaging_svc.conversations.model import (
    LEASE,
    Direction,
    State,
    Way,
    conversation,
    conversation_message,
)
from messaging_svc.conversations.schemas import ChangeIn
from messaging_svc.conversations.usecases.receiving import wake

Held: TypeAlias = Row[Any]
"""A conversation that is locked until the transaction ends."""


async def hold(tx: Tx, conversation_id: UUID) -> Held:
    """Lock a conversation, in order to change it.

    Raises:
        ConversationNotFound: there is none.
        ConversationOver: it goes on in another one.
    """
    found = select(conversation).where(conversation.c.id == conversation_id).with_for_update()
    row = (await tx.execute(found)).first()
    if row is None:
        raise ConversationNotFound("No conversation has this id")
    if row.merged_into is not None:
        raise ConversationOver(f"It goes on in {row.merged_into}", merged_into=str(row.merged_into))
    return row


async def change(tx: Tx, row: Held, values: Mapping[str, Any]) -> None:
    """Write a change, and tell whoever looks at the conversation."""
    await tx.execute(
        update(conversation)
        .where(conversation.c.id == row.id)
        .values(**values, version=row.version + 1)
    )
    await wake(tx, row.id)


def must_be_free(tx: Tx, row: Held, agent: str) -> None:
    """Refuse what somebody does to a conversation that somebody else has.

    Raises:
        HeldBySomebody: another one has it, and did something with it lately.
    """
    if row.assignee not in ("", agent) and row.assigned_until > tx.clock.now():
        raise HeldBySomebody(
            f"{row.assignee} has it until {row.assigned_until.isoformat()}", assignee=row.assignee
        )


async def take(tx: Tx, row: Held, agent: str) -> None:
    """Take a conversation that nobody has.

    Raises:
        HeldBySomebody: another one has it.
    """
    must_be_free(tx, row, agent)
    await assign(tx, row, agent)


async def assign(tx: Tx, row: Held, assignee: str) -> None:
    """Give a conversation to somebody, whoever has it."""
    await change(tx, row, {"assignee": assignee, "assigned_until": tx.clock.now() + LEASE})


async def release(tx: Tx, row: Held) -> None:
    """Let others have a conversation."""
    await change(tx, row, {"assignee": "", "assigned_until": None})


async def note(tx: Tx, row: Held, text: str, agent: str) -> None:
    """Keep a word that only our own people see."""
    way = Way(row.channel)
    await write(tx, row, Direction.NOTE, way, text, message_id=new_id(), agent=agent)
    await change(tx, row, {"last_number": row.last_number + 1, "last_at": tx.clock.now()})


async def write(
    tx: Tx,
    row: Held,
    direction: Direction,
    channel: Way,
    body: str,
    *,
    message_id: UUID,
    agent: str,
    address: str = "",
    subject: str = "",
    rfc_message_id: str = "",
) -> None:
    """Put what one of our people has written behind all else."""
    await tx.execute(
        insert(conversation_message).values(
            id=message_id,
            conversation_id=row.id,
            number=row.last_number + 1,
            direction=direction.value,
            channel=channel.value,
            author=agent,
            address=address,
            subject=subject,
            body=body,
            rfc_message_id=rfc_message_id,
            source="desk",
            external_id=str(message_id),
            refused=[],
            written_at=tx.clock.now(),
        )
    )


def turned(tx: Tx, row: Held, state: State) -> dict[str, Any]:
    """Return what changes when it is no longer our turn; an answer that came too late is counted."""
    now = tx.clock.now()
    late = row.state == State.OPEN and row.due_at <= now
    return {"state": state.value, "breaches": row.breaches + late, "last_at": now}


async def close(tx: Tx, row: Held, reason: str) -> None:
    """Say that nothing more is to be done; a new message opens it again."""
    values = turned(tx, row, State.CLOSED)
    await change(tx, row, values | closing(tx, reason) | {"assignee": "", "assigned_until": None})
    tx.stage(events.replies_answered(row.id, row.person_id, at=tx.clock.now()))


def closing(tx: Tx, reason: str) -> dict[str, Any]:
    """Return who closes, when and why."""
    return {"close_reason": reason, "closed_by": tx.actor, "closed_at": tx.clock.now()}


async def improve(tx: Tx, row: Held, body: ChangeIn) -> None:
    """Set the topic, the language, or whose conversation it is.

    Raises:
        PersonNotKnown: there is no card of the person.
    """
    values = body.model_dump(exclude_none=True, exclude={"person_id"})
    if body.person_id is not None:
        leads = await resolve(tx, person_alias, [body.person_id])
        known = leads.get(body.person_id, body.person_id)
        card = await queries.find_card(tx, known)
        if card is None:
            raise PersonNotKnown(f"There is no card of the person {body.person_id} here")
        values |= {
            "person_id": known,
            "merged_id": body.person_id if known != body.person_id else None,
            "country": card.country,
            "name": row.name or card.preferred_name,
        }
        await _tell_again(tx, row, known)
    await change(tx, row, values)


async def _tell_again(tx: Tx, row: Held, person_id: UUID) -> None:
    """Say of the message that waits that it is now known who wrote it; whoever has heard of it hears nothing new."""
    if row.state != State.OPEN:
        return
    waiting = (
        await tx.execute(
            select(conversation_message.c.id, conversation_message.c.written_at)
            .where(
                conversation_message.c.conversation_id == row.id,
                conversation_message.c.direction == Direction.IN.value,
            )
            .order_by(conversation_message.c.number.desc())
            .limit(1)
        )
    ).one()
    tx.stage(
        events.reply_received(
            reply_id=waiting.id,
            person_id=person_id,
            channel=Way(row.channel),
            kind="inquiry",
            conversation_id=row.id,
            opens=True,
            answers_id=row.answers_id,
            campaign_id=row.campaign_id,
            at=waiting.written_at,
        )
    )


async def merge(tx: Tx, row: Held, other: Held) -> None:
    """Let another conversation go on in this one; its messages come behind those that stand here.

    Raises:
        CannotMerge: they are one already, or of two persons.
    """
    if row.id == other.id:
        raise CannotMerge("A conversation cannot be merged into itself")
    if row.person_id and other.person_id and row.person_id != other.person_id:
        raise CannotMerge("They are of two persons; merge the persons first, where they are one")
    numbered = (
        select(
            conversation_message.c.id,
            (
                row.last_number + func.row_number().over(order_by=conversation_message.c.number)
            ).label("number"),
        )
        .where(conversation_message.c.conversation_id == other.id)
        .subquery()
    )
    await tx.execute(
        update(conversation_message)
        .where(conversation_message.c.id == numbered.c.id)
        .values(conversation_id=row.id, number=numbered.c.number)
    )
    both_open = [one for one in (row, other) if one.state == State.OPEN]
    due = min(both_open, key=lambda one: one.due_at, default=row)
    is_youngest = other.last_at > row.last_at
    values: dict[str, Any] = {
        "last_number": row.last_number + other.last_number,
        "person_id": row.person_id or other.person_id,
        "merged_id": row.merged_id if row.person_id else other.merged_id,
        "breaches": row.breaches + other.breaches,
        "channel": other.channel if is_youngest else row.channel,
        "last_at": max(row.last_at, other.last_at),
        "due_at": due.due_at,
        "warn_at": due.warn_at,
    }
    if both_open:
        values |= {
            "state": State.OPEN.value,
            "close_reason": "",
            "closed_by": "",
            "closed_at": None,
        }
    for name in (
        "name",
        "email",
        "email_hash",
        "phone",
        "phone_hash",
        "subject",
        "answers_id",
        "campaign_id",
    ):
        values[name] = getattr(row, name) or getattr(other, name)
    await change(
        tx,
        other,
        {"state": State.CLOSED.value, "merged_into": row.id, "assignee": "", "assigned_until": None}
        | closing(tx, "merged"),
    )
    await change(tx, row, values)
    tx.audit("conversations.merge", str(row.id), other=str(other.id))
