"""What leaves this slice: how calls ended."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from kantis_contracts.messaging import CallEnd, CallEndedV1, Learned


def calls_ended(
    ends: Iterable[Mapping[str, Any]],
    sources: Mapping[UUID, tuple[UUID | None, UUID | None]],
    *,
    at: datetime,
) -> CallEndedV1:
    """Say how calls ended, and what was learned in them."""
    items = []
    for one in ends:
        campaign_id, cell_id = sources.get(one["source_id"], (None, None))
        items.append(
            CallEnd(
                call_id=one["id"],
                message_id=one["message_id"],
                person_id=one["person_id"],
                campaign_id=campaign_id,
                cell_id=cell_id,
                attempt=one["attempt"],
                outcome=one["outcome"],
                effect=one["effect"],
                caller=one["caller"],
                note=one["note"],
                learned=tuple(Learned(**said) for said in one["learned"]),
                follow_up=one["follow_up"],
                call_back_at=one["call_back_at"],
                began_at=one["taken_at"],
                ended_at=at,
            )
        )
    return CallEndedV1(items=tuple(items))
