"""What leaves this slice: the ends of messages."""

from collections.abc import Iterable
from typing import Any

from kantis_contracts.messaging import MessageSettledV1, Settled, SettledState


def messages_settled(rows: Iterable[Any]) -> MessageSettledV1:
    """Say how messages ended; a test message belongs to no campaign, so that it is counted nowhere."""
    return MessageSettledV1(
        items=tuple(
            Settled(
                message_id=row.id,
                piece_id=row.piece_id,
                campaign_id=row.campaign_id,
                cell_id=row.cell_id,
                person_id=row.person_id,
                channel=row.channel,
                state=SettledState(row.state),
                reason=row.reason if row.rule in ("", "allowed") else row.rule,
                settled_at=row.settled_at,
            )
            for row in rows
        )
    )
