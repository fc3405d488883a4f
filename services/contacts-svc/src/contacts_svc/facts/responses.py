"""What people answered to pieces."""

from collections.abc import Sequence

from contacts_svc.facts.model import ResponseFact
from contacts_svc.facts.queries import known_ids
from contacts_svc.facts.usecases import add, each
from contacts_svc.touched import Family, touch
from kantis_contracts.orders import ResponseRegistered
from kantis_kit.tx import Tx


async def keep_responses(tx: Tx, items: Sequence[ResponseRegistered]) -> None:
    """Keep the answers of persons to pieces."""
    known = await known_ids(tx, (item.person_id for item in items if item.person_id))
    rows = [
        {
            "response_id": item.response_id,
            "person_id": known[person_id],
            "kind": item.kind.value,
            "way": item.way.value,
            "campaign_id": item.campaign_id,
            "responded_at": item.responded_at,
        }
        for item in each(items, "response_id")
        if (person_id := item.person_id)
    ]
    if not rows:
        return
    await add(tx, ResponseFact, rows, key="response_id")
    await touch(tx, {row["person_id"] for row in rows}, Family.INTERACTION)
