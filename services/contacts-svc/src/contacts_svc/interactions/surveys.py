"""Answers to surveys on the timeline of people, with what was learned by them."""

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
from kantis_contracts.campaign import SurveyAnswered
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

SOURCE = "campaign"
_MAX_TEXT, _MAX_WORDS = 4_000, 200


async def keep_answers(tx: Tx, answers: Sequence[SurveyAnswered]) -> None:
    """Keep answers as replies on the timeline, and the words of the vocabulary that they stand for as insights.

    An answer that is told again is kept once; a word that the vocabulary does not know is left out. So are people who are gone.
    """
    there = await living(tx, (one.person_id for one in answers))
    mine = [one for one in answers if one.person_id in there]
    if not mine:
        return
    now = tx.clock.now()
    await keep(tx, [_row(one, there[one.person_id], now) for one in mine])
    learned = [
        Learned(
            person_id=there[one.person_id],
            term_key=term,
            source=InsightSource.SURVEY,
            said_at=min(one.answered_at, now),
        )
        for one in mine
        for term in one.terms
    ]
    await record_insights(tx, learned)


def _row(one: SurveyAnswered, person_id: UUID, now: datetime) -> dict[str, Any]:
    scores = ", ".join(f"{key} {score}" for key, score in sorted(one.scores.items()))
    return {
        "id": new_id(),
        "person_id": person_id,
        "kind": InteractionKind.REPLY.value,
        "direction": Direction.IN.value,
        "channel": "",
        "topic": one.survey_name[:_MAX_WORDS],
        "outcome": scores[:_MAX_WORDS],
        "place": "",
        "text": safe(one.text)[:_MAX_TEXT],
        "campaign_id": None,
        "source": SOURCE,
        "external_id": f"survey-{one.answer_id}",
        "actor": "",
        "occurred_at": min(one.answered_at, now),
        "recorded_at": now,
    }
