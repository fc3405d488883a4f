"""Memberships of the club on the timeline of people, where conditions find them; they are no consent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from contacts_svc.facts.queries import living
from contacts_svc.interactions.schemas import Direction, InteractionKind
from contacts_svc.interactions.surveys import SOURCE
from contacts_svc.interactions.usecases import keep
from kantis_contracts.campaign import MemberChanged
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

TOPIC = "club"


async def keep_memberships(tx: Tx, changes: Sequence[MemberChanged]) -> None:
    """Keep that people joined or left, each once; people who are gone are left out."""
    there = await living(tx, (one.person_id for one in changes))
    now = tx.clock.now()
    rows = [_row(one, there[one.person_id], now) for one in changes if one.person_id in there]
    if rows:
        await keep(tx, rows)


def _row(one: MemberChanged, person_id: UUID, now: datetime) -> dict[str, Any]:
    outcome = "joined" if one.is_member else "left"
    return {
        "id": new_id(),
        "person_id": person_id,
        "kind": InteractionKind.CONTEXT.value,
        "direction": Direction.IN.value,
        "channel": "",
        "topic": TOPIC,
        "outcome": outcome,
        "place": one.place,
        "text": "",
        "campaign_id": None,
        "source": SOURCE,
        "external_id": f"club-{one.number}-{outcome}",
        "actor": "",
        "occurred_at": min(one.changed_at, now),
        "recorded_at": now,
    }
