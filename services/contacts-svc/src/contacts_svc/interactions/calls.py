"""Calls of a campaign on the timeline of people, with what was learned in them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from contacts_svc.facts.queries import living
from contacts_svc.insights.model import InsightSource, InsightTerm, Learned
from contacts_svc.insights.queries import terms_by_key
from contacts_svc.insights.usecases import record_insights
from contacts_svc.interactions.schemas import Direction, InteractionKind
from contacts_svc.interactions.usecases import keep
from contacts_svc.people.rules import national_number_in
from kantis_contracts.messaging import CallEnd
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

SOURCE = "messaging"
LEFT_OUT = "(left out: it held an identity number)"
_MAX_TEXT, _MAX_TASK = 4_000, 200


async def keep_calls(tx: Tx, ends: Sequence[CallEnd]) -> None:
    """Keep calls as interactions, what was learned in them as insights, and follow-ups as tasks.

    A call that is told again is kept once. A word that the vocabulary does not know, or has closed, is kept with the text of
    the call; so nothing that a caller wrote is lost. People who are gone are left out.
    """
    there = await living(tx, (one.person_id for one in ends if one.person_id))
    mine = [one for one in ends if one.person_id in there]
    if not mine:
        return
    terms = await terms_by_key(tx, {said.term for one in mine for said in one.learned})
    now = tx.clock.now()
    rows = []
    learned = []
    for one in mine:
        person_id = there[one.person_id or one.message_id]
        open_terms = [
            said
            for said in one.learned
            if said.term in terms and terms[said.term].closed_at is None
        ]
        rows.append(_row(one, person_id, now, InteractionKind.CALL, text=_text(one, terms)))
        if one.follow_up:
            rows.append(
                _row(
                    one, person_id, now, InteractionKind.TASK, topic=safe(one.follow_up)[:_MAX_TASK],
                    text=safe(one.follow_up),
                )
            )  # fmt: skip
        learned += [
            Learned(
                person_id=person_id,
                term_key=said.term,
                source=InsightSource.CALL,
                said_at=min(one.ended_at, now),
                strength=said.strength,
                campaign_id=one.campaign_id,
                note=safe(said.note),
            )
            for said in open_terms
        ]
    await keep(tx, rows)
    await record_insights(tx, learned)


def safe(text: str) -> str:
    """Return a text, or that it was left out because it held an identity number."""
    return LEFT_OUT if text and national_number_in(text) else text


def _text(one: CallEnd, terms: Mapping[str, InsightTerm]) -> str:
    unknown = [
        f"{said.term}: {safe(said.note)}".rstrip(": ")
        for said in one.learned
        if said.term not in terms or terms[said.term].closed_at is not None
    ]
    return "\n".join([part for part in (safe(one.note), *unknown) if part])[:_MAX_TEXT]


def _row(
    one: CallEnd,
    person_id: UUID,
    now: datetime,
    kind: InteractionKind,
    *,
    topic: str = "",
    text: str = "",
) -> dict[str, Any]:
    is_task = kind is InteractionKind.TASK
    return {
        "id": new_id(),
        "person_id": person_id,
        "kind": kind.value,
        "direction": "" if is_task else Direction.OUT.value,
        "channel": Channel.PHONE.value,
        "topic": topic,
        "outcome": "" if is_task else one.outcome,
        "place": "",
        "text": text,
        "campaign_id": one.campaign_id,
        "source": SOURCE,
        "external_id": f"{one.call_id}{'-task' if is_task else ''}",
        "actor": one.caller,
        "occurred_at": min(one.ended_at, now),
        "recorded_at": now,
    }
