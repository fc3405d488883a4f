"""Responses in what people write by mail, text message or chat, or ask to be called about: each has a next step.

They are answered in their conversation; that it was is told here, before or after what was answered.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from kantis_contracts.messaging import Reply, ReplyAnswered
from kantis_contracts.orders import ResponseKind, ResponseWay
from kantis_contracts.values import Channel
from kantis_kit.calendar import answer_due_at
from kantis_kit.db.aliases import resolve
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.aliases import person_alias
from orders_svc.people.model import Person
from orders_svc.people.queries import find_persons
from orders_svc.responses import events
from orders_svc.responses.model import AnsweredConversation, NextStep, Response, ResponseState
from orders_svc.settings import OrdersSettings

_WAYS = {Channel.SMS: ResponseWay.PHONE, Channel.PHONE: ResponseWay.PHONE}
"""Who writes a mail or in a chat answers by the web; letters are keyed."""
_INQUIRIES = frozenset({"inquiry", "other"})


async def take_replies(tx: Tx, replies: Sequence[Reply]) -> None:
    """Register a response for each message that orders something or begins to wait for an answer; any order, once each.

    Of a writer whom nobody knows there is none yet: the conversation has a clock of its own, and tells again when it is
    known who writes.
    """
    wanted = {one.reply_id: one for one in replies if one.person_id and _kind(one) is not None}
    if not wanted:
        return
    answered = await _lock(tx, (one.conversation_id for one in wanted.values()))
    leads = await resolve(tx, person_alias, [one.person_id for one in wanted.values()])
    persons = await find_persons(
        tx, {leads.get(one.person_id, one.person_id) for one in wanted.values() if one.person_id}
    )
    rows = [
        row
        for _, one in sorted(wanted.items())
        if (row := _row(tx, one, leads, persons, answered)) is not None
    ]
    if not rows:
        return
    new = await tx.scalars(
        insert(Response)
        .values(rows)
        .on_conflict_do_nothing(index_elements=[col(Response.reply_id)])
        .returning(Response)
    )
    tx.stage(events.responses_registered(one.model_dump() for one in new))


async def take_answers(tx: Tx, answers: Sequence[ReplyAnswered]) -> None:
    """Note that inquiries which came until then are answered; what is to be ordered still waits for that."""
    latest: dict[UUID, datetime] = {}
    for one in answers:
        latest[one.conversation_id] = max(
            latest.get(one.conversation_id, one.answered_at), one.answered_at
        )
    await _lock(tx, latest)
    for conversation_id, at in sorted(latest.items()):
        await tx.execute(
            update(AnsweredConversation)
            .where(col(AnsweredConversation.conversation_id) == conversation_id)
            .values(answered_at=func.greatest(col(AnsweredConversation.answered_at), at))
        )
        await tx.execute(
            update(Response)
            .where(
                col(Response.conversation_id) == conversation_id,
                col(Response.next_step) == NextStep.ANSWER_INQUIRY.value,
                col(Response.responded_at) <= at,
            )
            .values(
                state=ResponseState.ANSWERED.value,
                next_step=NextStep.DONE.value,
                answered_at=at,
            )
        )


def _kind(reply: Reply) -> ResponseKind | None:
    if reply.kind == "order":
        return ResponseKind.ORDER
    waits = reply.opens_conversation and reply.kind in _INQUIRIES
    return ResponseKind.INQUIRY if waits else None


async def _lock(tx: Tx, ids: Iterable[UUID | None]) -> dict[UUID, datetime | None]:
    """Lock the rows of conversations, in their order; return until when each is answered."""
    chosen = sorted({id_ for id_ in ids if id_ is not None})
    if not chosen:
        return {}
    new = insert(AnsweredConversation).values([{"conversation_id": id_} for id_ in chosen])
    rows = await tx.execute(
        new.on_conflict_do_update(
            index_elements=[col(AnsweredConversation.conversation_id)],
            set_={"conversation_id": new.excluded.conversation_id},
        ).returning(
            col(AnsweredConversation.conversation_id), col(AnsweredConversation.answered_at)
        )
    )
    return {row.conversation_id: row.answered_at for row in rows}


def _row(
    tx: Tx,
    reply: Reply,
    leads: Mapping[UUID, UUID],
    persons: Mapping[UUID, Person],
    answered: Mapping[UUID, datetime | None],
) -> dict[str, Any] | None:
    kind, came_as = _kind(reply), reply.person_id
    if kind is None or came_as is None:
        return None
    person_id = leads.get(came_as, came_as)
    person = persons.get(person_id)
    if person is not None and person.is_erased:
        return None
    country = person.country if person else tx.settings(OrdersSettings).company_country
    response = Response(
        response_id=new_id(),
        kind=kind.value,
        way=_WAYS.get(reply.channel, ResponseWay.WEB).value,
        person_id=person_id,
        merged_id=came_as if person_id != came_as else None,
        campaign_id=reply.campaign_id,
        state=ResponseState.OPEN.value,
        next_step=NextStep.ANSWER_INQUIRY.value,
        due_at=answer_due_at(reply.received_at, country),
        responded_at=reply.received_at,
        is_repeat=True,
        reply_id=reply.reply_id,
        conversation_id=reply.conversation_id,
    )
    response.begin(at=tx.clock.now())
    until = answered.get(reply.conversation_id) if reply.conversation_id else None
    if kind is ResponseKind.INQUIRY and until is not None and reply.received_at <= until:
        response.finish(at=until)
    return response.model_dump()
