"""Read conversations."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, tuple_

from kantis_kit.tx import ReadTx
from messaging_svc.conversations.errors import ConversationNotFound, FileNotFound
from messaging_svc.conversations.model import (
    Direction,
    State,
    Way,
    conversation,
    conversation_file,
    conversation_message,
)
from messaging_svc.conversations.schemas import (
    Clock,
    ConversationOut,
    FiguresOut,
    FileOut,
    LineOut,
    MessageOut,
)
from messaging_svc.dispatch.model import dispatch, dispatch_source
from messaging_svc.register.model import person_card

COUNT_OVERDUE = "SELECT count(*) FROM conversation WHERE state = 'open' AND due_at <= $1"


def clock_of(row: Row[Any], now: datetime) -> Clock:
    """Say how near the end of the second working day is."""
    if row.state != State.OPEN:
        return "stopped"
    if row.due_at <= now:
        return "overdue"
    return "warning" if row.warn_at <= now else "running"


def shown(row: Row[Any], now: datetime) -> ConversationOut:
    """Return a conversation as the API shows it; a lease that has run out is nobody's."""
    values = row._asdict()
    if row.assigned_until is not None and row.assigned_until <= now:
        values |= {"assignee": "", "assigned_until": None}
    return ConversationOut.model_validate(
        values | {"clock": clock_of(row, now), "messages": row.last_number}
    )


async def get_conversation(tx: ReadTx, conversation_id: UUID) -> ConversationOut:
    """Return a conversation.

    Raises:
        ConversationNotFound: there is none.
    """
    found = select(conversation).where(conversation.c.id == conversation_id)
    row = (await tx.execute(found)).first()
    if row is None:
        raise ConversationNotFound("No conversation has this id")
    return shown(row, tx.clock.now())


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(conversation.c.assignee == "", conversation.c.assigned_until <= now)


def _on_clock(clock: Clock, now: datetime) -> ColumnElement[bool]:
    is_open, due, warn = (
        conversation.c.state == State.OPEN.value,
        conversation.c.due_at,
        conversation.c.warn_at,
    )
    return {
        "stopped": ~is_open,
        "overdue": and_(is_open, due <= now),
        "warning": and_(is_open, due > now, warn <= now),
        "running": and_(is_open, due > now, warn > now),
    }[clock]


async def list_conversations(
    tx: ReadTx,
    *,
    state: State | None,
    channel: Way | None,
    clock: Clock | None,
    assignee: str | None,
    is_assigned: bool | None,
    person_id: UUID | None,
    topic: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[ConversationOut]:
    """Return a page of conversations, those that are due first in front."""
    now = tx.clock.now()
    key = tuple_(conversation.c.due_at, conversation.c.id)
    statement: Select[Any] = (
        select(conversation).order_by(conversation.c.due_at, conversation.c.id).limit(limit)
    )
    for column, wanted in (
        (conversation.c.state, state and state.value),
        (conversation.c.channel, channel and channel.value),
        (conversation.c.person_id, person_id),
        (conversation.c.topic, topic),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if assignee is not None:
        statement = statement.where(conversation.c.assignee == assignee, ~_is_free(now))
    if is_assigned is not None:
        statement = statement.where(~_is_free(now) if is_assigned else _is_free(now))
    if clock is not None:
        statement = statement.where(_on_clock(clock, now))
    if after is not None:
        statement = statement.where(key > after)
    return [shown(row, now) for row in await tx.execute(statement)]


async def count_conversations(tx: ReadTx) -> FiguresOut:
    """Return how the inbox stands."""
    now = tx.clock.now()
    is_open = conversation.c.state == State.OPEN.value
    overdue = _on_clock("overdue", now)
    row = (
        await tx.execute(
            select(
                func.count().filter(is_open).label("open"),
                func.count().filter(is_open, _is_free(now)).label("unassigned"),
                func.count().filter(_on_clock("warning", now)).label("warning"),
                func.count().filter(overdue).label("overdue"),
                func.count().filter(conversation.c.state == State.WAITING.value).label("waiting"),
                (
                    func.coalesce(func.sum(conversation.c.breaches), 0)
                    + func.count().filter(overdue)
                ).label("breaches"),
            )
        )
    ).one()
    channels = await tx.execute(
        select(conversation.c.channel, func.count().label("open"))
        .where(is_open)
        .group_by(conversation.c.channel)
    )
    return FiguresOut(**row._asdict(), by_channel={one.channel: one.open for one in channels})


async def list_messages(
    tx: ReadTx, conversation_id: UUID, *, after: int, limit: int
) -> list[MessageOut]:
    """Return messages and notes behind a number, in order."""
    rows = (
        await tx.execute(
            select(conversation_message, dispatch.c.state)
            .outerjoin(
                dispatch,
                and_(
                    dispatch.c.origin == "reply",
                    dispatch.c.origin_id == conversation_message.c.id,
                    conversation_message.c.direction == Direction.OUT.value,
                ),
            )
            .where(
                conversation_message.c.conversation_id == conversation_id,
                conversation_message.c.number > after,
            )
            .order_by(conversation_message.c.number)
            .limit(limit)
        )
    ).all()
    files = await _files_of(tx, [row.id for row in rows])
    return [
        MessageOut.model_validate(row._asdict() | {"files": files.get(row.id, [])}) for row in rows
    ]


async def _files_of(tx: ReadTx, message_ids: Sequence[UUID]) -> dict[UUID, list[FileOut]]:
    files: dict[UUID, list[FileOut]] = {}
    found = await tx.execute(
        select(
            conversation_file.c.message_id,
            conversation_file.c.id,
            conversation_file.c.name,
            conversation_file.c.kind,
            conversation_file.c.size_bytes,
        )
        .where(conversation_file.c.message_id.in_(message_ids))
        .order_by(conversation_file.c.id)
    )
    for row in found:
        files.setdefault(row.message_id, []).append(FileOut.model_validate(row))
    return files


async def list_lines(tx: ReadTx, conversation_id: UUID, *, after: int = 0) -> list[LineOut]:
    """Return what a visitor sees of a chat behind a number: no notes, and nobody's name."""
    rows = await tx.execute(
        select(
            conversation_message.c.number,
            (conversation_message.c.direction == Direction.OUT.value).label("is_ours"),
            conversation_message.c.body.label("text"),
            conversation_message.c.written_at,
        )
        .where(
            conversation_message.c.conversation_id == conversation_id,
            conversation_message.c.number > after,
            conversation_message.c.direction != Direction.NOTE.value,
            conversation_message.c.channel == Way.CHAT.value,
        )
        .order_by(conversation_message.c.number)
    )
    return [LineOut.model_validate(row) for row in rows]


async def get_file(tx: ReadTx, conversation_id: UUID, file_id: UUID) -> Row[Any]:
    """Return an attachment with its content.

    Raises:
        FileNotFound: the conversation has none of this id.
    """
    row = (
        await tx.execute(
            select(conversation_file)
            .join(
                conversation_message,
                conversation_message.c.id == conversation_file.c.message_id,
            )
            .where(
                conversation_file.c.id == file_id,
                conversation_message.c.conversation_id == conversation_id,
            )
        )
    ).first()
    if row is None:
        raise FileNotFound("The conversation has no attachment of this id")
    return row


async def find_row(tx: ReadTx, conversation_id: UUID) -> Row[Any] | None:
    """Return a conversation as it is stored, or None."""
    found = select(conversation).where(conversation.c.id == conversation_id)
    return (await tx.execute(found)).first()


async def find_card(tx: ReadTx, person_id: UUID) -> Row[Any] | None:
    """Return a person's card, unless the person was erased."""
    return (
        await tx.execute(
            select(person_card).where(
                person_card.c.person_id == person_id, ~person_card.c.is_erased
            )
        )
    ).first()


async def find_owner(
    tx: ReadTx, *, email_hash: bytes | None, phone_hash: bytes | None
) -> UUID | None:
    """Return who has this address or number, where only one person has it."""
    for column, hashed in (
        (person_card.c.email_hash, email_hash),
        (person_card.c.phone_hash, phone_hash),
    ):
        if hashed is None:
            continue
        found = list(
            await tx.scalars(
                select(person_card.c.person_id)
                .where(column == hashed, ~person_card.c.is_erased)
                .limit(2)
            )
        )
        if len(found) == 1:
            owner: UUID = found[0]
            return owner
    return None


async def find_sent(
    tx: ReadTx, message_id: UUID | None, *, references: Sequence[str], person_id: UUID | None
) -> Row[Any] | None:
    """Return the message of ours that is answered: by its id, else by its name among those to the person."""
    statement = select(
        dispatch.c.id,
        dispatch.c.person_id,
        dispatch.c.origin,
        dispatch.c.origin_id,
        dispatch_source.c.campaign_id,
        dispatch_source.c.campaign_name,
    ).outerjoin(dispatch_source, dispatch_source.c.id == dispatch.c.source_id)
    if message_id is not None:
        return (await tx.execute(statement.where(dispatch.c.id == message_id))).first()
    if person_id is None or not references:
        return None
    return (
        await tx.execute(
            statement.where(
                dispatch.c.person_id == person_id, dispatch.c.rfc_message_id.in_(references)
            )
            .order_by(dispatch.c.id.desc())
            .limit(1)
        )
    ).first()


async def find_by_mail(tx: ReadTx, names: Sequence[str]) -> UUID | None:
    """Return the conversation in which one of these mails stands."""
    if not names:
        return None
    found: UUID | None = await tx.scalar(
        select(conversation_message.c.conversation_id)
        .where(conversation_message.c.rfc_message_id.in_(names))
        .order_by(conversation_message.c.id.desc())
        .limit(1)
    )
    return found


async def find_by_message(tx: ReadTx, message_id: UUID) -> UUID | None:
    """Return the conversation in which a message stands."""
    found: UUID | None = await tx.scalar(
        select(conversation_message.c.conversation_id).where(
            conversation_message.c.id == message_id
        )
    )
    return found


async def count_starts(tx: ReadTx, visitor_hash: bytes, *, within: timedelta) -> int:
    """Return how many conversations a visitor has begun lately."""
    return int(
        await tx.scalar(
            select(func.count()).where(
                conversation.c.visitor_hash == visitor_hash,
                conversation.c.created_at > tx.clock.now() - within,
            )
        )
        or 0
    )


async def count_lately(tx: ReadTx, where: ColumnElement[bool], *, within: timedelta) -> int:
    """Return how many messages came in lately in the conversations of this kind."""
    return int(
        await tx.scalar(
            select(func.count())
            .select_from(conversation_message)
            .join(conversation, conversation.c.id == conversation_message.c.conversation_id)
            .where(
                where,
                conversation_message.c.direction == Direction.IN.value,
                conversation_message.c.written_at > tx.clock.now() - within,
            )
        )
        or 0
    )
