"""What leaves this slice: the ends of messages."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson

from kantis_contracts.messaging import MessageSettledV1
from kantis_kit.outbox import Encoded


def messages_settled(
    rows: Iterable[Any], sources: Mapping[UUID, tuple[UUID | None, UUID | None]]
) -> Encoded:
    """Say how messages ended, as JSON at once: there is one of these for each message that leaves.

    A test message belongs to no campaign, so that it is counted nowhere.

    Args:
        rows: of the ledger, as `sql.RECORD` and `sql.ANNOUNCE` return them.
        sources: campaign and cell of each source.
    """
    items = []
    # Taken apart at once: asking a row for each of its values costs as much as the rest together.
    for (
        id_,
        origin,
        origin_id,
        piece_id,
        source_id,
        person_id,
        channel,
        state,
        rule,
        why,
        at,
    ) in rows:
        campaign_id, cell_id = sources[source_id] if source_id else (None, None)
        items.append(
            orjson.dumps(
                {
                    "message_id": id_,
                    "piece_id": piece_id,
                    "step_id": origin_id if origin == "step" else None,
                    "campaign_id": campaign_id,
                    "cell_id": cell_id,
                    "person_id": person_id,
                    "channel": channel,
                    "state": state,
                    "reason": why if rule in ("", "allowed") else rule,
                    "settled_at": at,
                },
                default=str,
            )
        )
    return Encoded(MessageSettledV1, items)
