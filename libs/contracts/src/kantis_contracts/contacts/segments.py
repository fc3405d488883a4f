"""How many a segment reaches, and audiences as they were at a launch."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Channel, Country


class ChannelReach(Item):
    """How many of a segment one channel reaches, and why not the others: reasons as codes, each with its number.

    `no_address`, `undeliverable`, and what a decision about a permission says: `no_consent`, `not_confirmed`,
    `soft_is_not_enough`, `refused`, `suppressed`, `paused`, `do_not_contact`, `reserved`, `wash_missing`, `forbidden`,
    `no_rule`.
    """

    channel: Channel
    reachable: int
    excluded: dict[str, int] = Field(default_factory=dict)


class RegisterWash(Item):
    """A reservation register, and when it was asked last; `is_recent` while that still counts."""

    register_key: str
    country: Country
    channels: tuple[Channel, ...]
    washed_on: date | None = None
    is_recent: bool = False


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
    scored: int = 0
    """Members whose data quality was scored, in percent; the mean of the scores, and how many are below 50."""
    mean_quality_score: int | None = None
    low_quality_scores: int = 0
    washes: tuple[RegisterWash, ...] = ()
    """The reservation registers that cover the channels."""
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


class SegmentChange(StrEnum):
    """What has happened to a segment."""

    ENTERED = "entered"
    LEFT = "left"
    BUILT = "built"
    """Everybody has been looked at with a new condition; nobody is named."""


class SegmentMove(Item):
    """A person who came into a segment or left it; or, without a person, the segment was built."""

    person_id: UUID | None = None
    change: SegmentChange
    at: datetime


class SegmentChangedV1(Event, type="contacts.segment.changed.v1"):
    """Somebody came into a segment or left it. Only segments that were told to announce it do.

    `version` is that of the condition. `revision` rises with each change that is told: of two events the one with the
    higher revision knows the newer number of `members`.
    """

    segment_id: UUID
    segment_name: str = ""
    version: int
    revision: int
    members: int
    items: tuple[SegmentMove, ...] = Items
