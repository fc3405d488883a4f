"""What happens to people, in the words of programmes: the same shape whichever service told it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from campaign_svc.programmes import ways as w
from campaign_svc.saying_no import SAYS_NO
from kantis_contracts.contacts import InsightCard, LeadReceived, SegmentChange, SegmentChangedV1
from kantis_contracts.messaging import CallEnd, Engagement, Reply
from kantis_contracts.orders import OrderCard


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened to a person; `begins` names the triggers that it pulls, as (on, name)."""

    event: str
    person_id: UUID
    at: datetime
    key: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    begins: tuple[tuple[str, str], ...] = ()


def of_orders(what: str, cards: Iterable[OrderCard]) -> list[Occurrence]:
    """Read orders that were placed, shipped, delivered, paid or cancelled."""
    return [
        Occurrence(
            event=f"order.{what}",
            person_id=card.person_id,
            at=card.changed_at,
            key=str(card.order_id),
            facts={
                "order_number": card.number,
                "order_minor": card.total_minor,
                **{f"bought.{line.product_id}": True for line in card.lines if what == "placed"},
            },
            begins=(("order", what),),
        )
        for card in cards
    ]


def of_leads(items: Iterable[LeadReceived], at: datetime) -> list[Occurrence]:
    """Read leads of forms."""
    return [
        Occurrence(
            event="lead.received",
            person_id=item.person_id,
            at=at,
            facts={"form": item.form_key, "source": item.source},
            begins=(("form", ""), ("form", item.form_key)),
        )
        for item in items
    ]


def of_moves(event: SegmentChangedV1) -> list[Occurrence]:
    """Read who came into a segment, and who left it."""
    return [
        Occurrence(
            event=f"segment.{move.change.value}",
            person_id=move.person_id,
            at=move.at,
            facts={"segment": event.segment_name},
            begins=(("segment", str(event.segment_id)),)
            if move.change is SegmentChange.ENTERED
            else (),
        )
        for move in event.items
        if move.person_id is not None
    ]


def of_insights(cards: Iterable[InsightCard]) -> list[Occurrence]:
    """Read what was learned of people: what they need, and what speaks against."""
    found = []
    for card in cards:
        if card.is_taken_back:
            continue
        if card.kind in SAYS_NO:
            facts: dict[str, Any] = {"objection": card.term}
            found.append(Occurrence(w.OBJECTION, card.person_id, card.said_at, facts=facts))
        else:
            facts = {"need": card.term}
            found.append(Occurrence(w.NEED, card.person_id, card.said_at, facts=facts))
    return found


def of_engagements(event: str, items: Iterable[Engagement]) -> list[Occurrence]:
    """Read clicks and openings of people; machines are not counted."""
    return [
        Occurrence(event, item.person_id, item.seen_at, key=str(item.message_id))
        for item in items
        if item.person_id is not None and item.verdict == "human"
    ]


def of_replies(items: Iterable[Reply]) -> list[Occurrence]:
    """Read what people have written to us."""
    return [
        Occurrence(
            event="reply.received",
            person_id=item.person_id,
            at=item.received_at,
            facts={"reply": item.kind, "keyword": item.keyword},
        )
        for item in items
        if item.person_id is not None
    ]


def of_calls(items: Iterable[CallEnd]) -> list[Occurrence]:
    """Read how calls ended."""
    return [
        Occurrence(
            event="call.ended",
            person_id=item.person_id,
            at=item.ended_at,
            facts={"call": item.outcome, "call_effect": item.effect},
        )
        for item in items
        if item.person_id is not None
    ]
