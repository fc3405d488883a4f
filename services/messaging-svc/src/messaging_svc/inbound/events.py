"""What leaves this slice: that people have written, and what for."""

from collections.abc import Iterable
from typing import Any

from kantis_contracts.messaging import Reply, ReplyReceivedV1
from kantis_contracts.values import Channel
from messaging_svc.conversations.usecases.receiving import Received


def replies_received(
    told: Iterable[tuple[dict[str, Any], Received | None]],
) -> ReplyReceivedV1:
    """Say that people have written; their words stay here."""
    return ReplyReceivedV1(
        items=tuple(
            Reply(
                reply_id=row["id"],
                person_id=row["person_id"],
                channel=Channel(row["channel"]),
                kind=row["kind"],
                keyword=row["keyword"],
                option=row["option"],
                conversation_id=waiting.conversation_id if waiting else None,
                opens_conversation=waiting.opens if waiting else False,
                received_at=row["received_at"],
            )
            for row, waiting in told
        )
    )
