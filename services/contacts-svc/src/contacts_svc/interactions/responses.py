"""What people wrote in answers to campaigns: on their timelines, with what was learned; late answers are tasks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from contacts_svc.facts.queries import living
from contacts_svc.insights.model import InsightSource, Learned
from contacts_svc.insights.usecases import record_insights
from contacts_svc.interactions.calls import safe
from contacts_svc.interactions.schemas import Direction, InteractionKind
from contacts_svc.interactions.usecases import keep
from kantis_contracts.orders import AnswerDeadline, ResponseRegistered
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

SOURCE = "orders"
_MAX_TEXT = 4_000


async def keep_answers(tx: Tx, responses: Sequence[ResponseRegistered]) -> None:
    """Keep answers to questions as replies on the timeline, and the words of the vocabulary that they stand for as insights.

    What is told again is kept once; a word that the vocabulary does not know is left out. So are people who are gone.
    """
    answered = [one for one in responses if one.answers and one.person_id]
    there = await living(tx, (one.person_id for one in answered if one.person_id))
    mine = [(one, there[one.person_id]) for one in answered if one.person_id in there]
    if not mine:
        return
    now = tx.clock.now()
    await keep(tx, [_reply(one, person_id, now) for one, person_id in mine])
    learned = [
        Learned(
            person_id=person_id,
            term_key=said.term,
            source=InsightSource.CAMPAIGN,
            said_at=min(one.responded_at, now),
            campaign_id=one.campaign_id,
        )
        for one, person_id in mine
        for said in one.answers
        if said.term
    ]
    await record_insights(tx, learned)


async def keep_deadlines(tx: Tx, deadlines: Sequence[AnswerDeadline], *, is_missed: bool) -> None:
    """Keep a task for each answer that is due soon, or that is late, on the timeline of who waits for it."""
    there = await living(tx, (one.person_id for one in deadlines if one.person_id))
    now = tx.clock.now()
    rows = [
        _task(one, there[one.person_id], now, is_missed=is_missed)
        for one in deadlines
        if one.person_id in there
    ]
    if rows:
        await keep(tx, rows)


def _reply(one: ResponseRegistered, person_id: UUID, now: datetime) -> dict[str, Any]:
    said = "\n".join(f"{answer.question}: {answer.answer}" for answer in one.answers)
    return row_of(person_id, now) | {
        "kind": InteractionKind.REPLY.value,
        "direction": Direction.IN.value,
        "topic": one.kind.value,
        "text": safe(said)[:_MAX_TEXT],
        "campaign_id": one.campaign_id,
        "external_id": f"answers-{one.response_id}",
        "occurred_at": min(one.responded_at, now),
    }


def _task(
    one: AnswerDeadline, person_id: UUID, now: datetime, *, is_missed: bool
) -> dict[str, Any]:
    urgency = "late" if is_missed else "due soon"
    return row_of(person_id, now) | {
        "kind": InteractionKind.TASK.value,
        "topic": f"{urgency}: {one.next_step}",
        "text": f"{one.kind.value} of the response {one.response_id}, due at {one.due_at:%Y-%m-%d %H:%M} UTC",
        "campaign_id": one.campaign_id,
        "external_id": f"{'late' if is_missed else 'due'}-{one.response_id}",
        "occurred_at": now,
    }


def row_of(person_id: UUID, now: datetime) -> dict[str, Any]:
    """Return what the rows of this source have in common."""
    return {
        "id": new_id(),
        "person_id": person_id,
        "direction": "",
        "channel": "",
        "outcome": "",
        "place": "",
        "source": SOURCE,
        "actor": "",
        "recorded_at": now,
    }
