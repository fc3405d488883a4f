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
        rows: of the ledger.
        sources: campaign and cell of each source.
    """
    return Encoded(
        MessageSettledV1,
        [
            orjson.dumps(
                {
                    "message_id": row.id,
                    "piece_id": row.piece_id,
                    "step_id": row.origin_id if row.origin == "step" else None,
                    "campaign_id": sources[row.source_id][0] if row.source_id else None,
                    "cell_id": sources[row.source_id][1] if row.source_id else None,
                    "person_id": row.person_id,
                    "channel": row.channel,
                    "state": row.state,
                    "reason": row.reason if row.rule in ("", "allowed") else row.rule,
                    "settled_at": row.settled_at,
                },
                default=str,
            )
            for row in rows
        ],
    )
