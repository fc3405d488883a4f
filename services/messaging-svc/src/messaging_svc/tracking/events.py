"""What leaves this slice: clicks, openings, and people's no."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import orjson

from kantis_contracts.messaging import (
    LinkClickedV1,
    MessageOpenedV1,
    PermissionWithdrawnV1,
    Wish,
    WishStatedV1,
    Withdrawal,
)
from kantis_contracts.values import Channel, Purpose
from kantis_kit.outbox import Encoded
from messaging_svc.tracking.model import Kept, Mail


def engaged(kept: Iterable[tuple[Kept, Mail]], kind: str) -> Encoded:
    """Say which messages were clicked in, or opened; as JSON at once, because there may be thousands a second."""
    return Encoded(
        LinkClickedV1 if kind == "click" else MessageOpenedV1,
        [
            orjson.dumps(
                {
                    "engagement_id": one.id,
                    "message_id": message.id,
                    "campaign_id": message.campaign_id,
                    "cell_id": message.cell_id,
                    "person_id": message.person_id,
                    "verdict": one.verdict,
                    "channel": message.channel,
                    "seen_at": one.seen_at,
                },
                default=str,
            )
            for one, message in kept
            if one.kind == kind
        ],
    )


def permission_withdrawn(
    withdrawal_id: UUID,
    person_id: UUID,
    purpose: Purpose | None,
    *,
    channel: Channel,
    source: str,
    message: Mail | None,
    at: datetime,
) -> PermissionWithdrawnV1:
    """Say that a person said no; it is in force here already."""
    return PermissionWithdrawnV1(
        items=(
            Withdrawal(
                withdrawal_id=withdrawal_id,
                person_id=person_id,
                channel=channel,
                purpose=purpose,
                source=source,
                message_id=message.id if message else None,
                campaign_id=message.campaign_id if message else None,
                cell_id=message.cell_id if message else None,
                withdrawn_at=at,
            ),
        )
    )


def permissions_withdrawn(
    person_id: UUID,
    noes: Iterable[tuple[UUID, Channel, Purpose | None]],
    *,
    source: str,
    at: datetime,
) -> PermissionWithdrawnV1:
    """Say to what a person said no, outside any message; it is in force here already."""
    return PermissionWithdrawnV1(
        items=tuple(
            Withdrawal(
                withdrawal_id=withdrawal_id,
                person_id=person_id,
                channel=channel,
                purpose=purpose,
                source=source,
                withdrawn_at=at,
            )
            for withdrawal_id, channel, purpose in noes
        )
    )


def wishes_stated(
    person_id: UUID, refused: Iterable[tuple[UUID, str, datetime | None]], *, at: datetime
) -> WishStatedV1:
    """Say which topics a person has refused, and until when everything; it is in force here already."""
    return WishStatedV1(
        items=tuple(
            Wish(
                wish_id=wish_id,
                person_id=person_id,
                topic=topic,
                paused_until=paused_until,
                stated_at=at,
            )
            for wish_id, topic, paused_until in refused
        )
    )
