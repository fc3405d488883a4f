"""What leaves this slice: that somebody has written and waits, and that they were answered."""

from datetime import datetime
from uuid import UUID

from kantis_contracts.messaging import (
    Reply,
    ReplyAnswered,
    ReplyAnsweredV1,
    ReplyReceivedV1,
)
from kantis_contracts.values import Channel
from messaging_svc.conversations.model import Way

_CHANNELS = {
    Way.EMAIL: Channel.EMAIL,
    Way.SMS: Channel.SMS,
    Way.CHAT: Channel.WEB,
    # A form asks for it; that the number rings somewhere is not shown by that.
    Way.CALL: Channel.WEB,
}


def reply_received(
    *,
    reply_id: UUID,
    person_id: UUID | None,
    channel: Way,
    kind: str,
    conversation_id: UUID,
    opens: bool,
    answers_id: UUID | None,
    campaign_id: UUID | None,
    at: datetime,
) -> ReplyReceivedV1:
    """Say that somebody has written; their words stay here."""
    return ReplyReceivedV1(
        items=(
            Reply(
                reply_id=reply_id,
                person_id=person_id,
                channel=_CHANNELS[channel],
                kind=kind,
                conversation_id=conversation_id,
                opens_conversation=opens,
                message_id=answers_id,
                campaign_id=campaign_id,
                received_at=at,
            ),
        )
    )


def replies_answered(
    conversation_id: UUID, person_id: UUID | None, *, at: datetime
) -> ReplyAnsweredV1:
    """Say that nothing of what came in a conversation until now waits any more."""
    return ReplyAnsweredV1(
        items=(ReplyAnswered(conversation_id=conversation_id, person_id=person_id, answered_at=at),)
    )
