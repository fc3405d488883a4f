"""What leaves this slice: clicks, openings, and people's no."""

from datetime import datetime
from uuid import UUID

from kantis_contracts.messaging import (
    Engagement,
    LinkClickedV1,
    MessageOpenedV1,
    PermissionWithdrawnV1,
    Withdrawal,
)
from kantis_contracts.values import Channel, Purpose
from messaging_svc.tracking.model import Mail


def engaged(
    kind: str, engagement_id: UUID, message: Mail, verdict: str, at: datetime
) -> LinkClickedV1 | MessageOpenedV1:
    """Say that a message was clicked in or opened."""
    item = Engagement(
        engagement_id=engagement_id,
        message_id=message.id,
        campaign_id=message.campaign_id,
        cell_id=message.cell_id,
        person_id=message.person_id,
        verdict=verdict,
        seen_at=at,
    )
    return LinkClickedV1(items=(item,)) if kind == "click" else MessageOpenedV1(items=(item,))


def permission_withdrawn(
    withdrawal_id: UUID,
    person_id: UUID,
    purpose: Purpose | None,
    *,
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
                channel=Channel.EMAIL,
                purpose=purpose,
                source=source,
                message_id=message.id if message else None,
                campaign_id=message.campaign_id if message else None,
                cell_id=message.cell_id if message else None,
                withdrawn_at=at,
            ),
        )
    )
