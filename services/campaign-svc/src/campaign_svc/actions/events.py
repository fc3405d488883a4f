"""Which fields of steps leave the service."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from campaign_svc.actions.model import Asker, Target
from campaign_svc.actions.schemas import CallListAction, MessageAction, TagAction, Way
from kantis_contracts.campaign import (
    Listing,
    ListingRequestedV1,
    Step,
    StepAsker,
    StepRequestedV1,
)
from kantis_contracts.values import Channel


def ways_of(action: MessageAction | CallListAction) -> list[Way]:
    """Return the channels of a message, the first choice first."""
    if isinstance(action, MessageAction):
        return action.ways
    return [Way(channel=Channel.PHONE, template_id=action.template_id)]


def steps_requested(
    asker: Asker,
    action: MessageAction | CallListAction,
    way: Way,
    targets: Iterable[Target],
    *,
    at: datetime,
) -> StepRequestedV1:
    """Have something said to people in one channel; `at` is when the step began."""
    return StepRequestedV1(
        asker=_asker(asker),
        channel=way.channel,
        purpose=action.purpose,
        message_class=action.message_class,
        class_reason=action.class_reason,
        topic=action.topic,
        list_id=action.list_id,
        template_id=way.template_id,
        cost_per_piece_minor=way.cost_minor,
        currency=action.currency,
        not_after=at + timedelta(minutes=action.valid_minutes) if action.valid_minutes else None,
        priority=action.priority,
        items=tuple(
            Step(
                step_id=one.step_id,
                person_id=one.person_id,
                because=tuple(one.because),
                facts=dict(one.facts),
            )
            for one in targets
        ),
    )


def listings_requested(
    asker: Asker, action: TagAction, targets: Iterable[Target]
) -> ListingRequestedV1:
    """Have people put on a list."""
    return ListingRequestedV1(
        segment_id=action.list_segment_id,
        asker=_asker(asker),
        items=tuple(Listing(person_id=one.person_id, step_id=one.step_id) for one in targets),
    )


def _asker(asker: Asker) -> StepAsker:
    return StepAsker(
        kind=asker.kind.value,
        id=asker.id,
        name=asker.name,
        version=asker.version,
        step=asker.step,
    )
