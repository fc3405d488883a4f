"""How many a segment reaches, and audiences as they were at a launch."""

from uuid import UUID

from pydantic import Field

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Channel


class ChannelReach(Item):
    """How many of a segment one channel reaches, and why not the others."""

    channel: Channel
    reachable: int
    excluded: dict[str, int] = Field(default_factory=dict)


class ReachCountedV1(Event, type="contacts.reach.counted.v1"):
    """The answer to a pre-flight: what a segment's audience would be now."""

    preflight_id: UUID
    campaign_id: UUID
    segment_id: UUID
    segment_name: str = ""
    is_known: bool = True
    members: int = 0
    missing_preferred_name: int = 0
    likely_duplicates: int = 0
    items: tuple[ChannelReach, ...] = Items


class AudienceMember(Item):
    """A person in a frozen audience, and the clauses of the condition that put them there."""

    person_id: UUID
    because: tuple[str, ...] = ()


class AudienceFrozenV1(Event, type="contacts.audience.frozen.v1"):
    """A campaign's audience as it was at the launch, in parts of up to 1,000.

    `total` counts the whole audience; a consumer knows that it has all when it has `total` members.
    """

    launch_id: UUID
    campaign_id: UUID
    segment_id: UUID
    segment_name: str = ""
    total: int
    items: tuple[AudienceMember, ...] = Items


class AudienceRefusal(Item):
    """A launch that has no audience. `reason` is `empty` or `unknown_segment`."""

    launch_id: UUID
    campaign_id: UUID
    reason: str


class AudienceRefusedV1(Event, type="contacts.audience.refused.v1"):
    """Launches asked for an audience and there is nobody to send to."""

    items: tuple[AudienceRefusal, ...] = Items
