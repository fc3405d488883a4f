"""How many a segment reaches, and audiences as they were at a launch."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
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


class Route(Item):
    """How a person may and can be reached now, and what the person is worth."""

    reached: tuple[Channel, ...] = ()
    missed: dict[Channel, str] = Field(default_factory=dict, examples=[{"sms": "no_consent"}])
    """The other channels that were asked for, each with its reason as a code."""
    wished: tuple[Channel, ...] = ()
    """What the person likes best, in order; empty when they never said."""
    worth: int = 0
    """Points of recency, frequency and money, 50 more while the person is active; 0 for who never ordered."""


class RouteGroup(Item):
    """So many people with the same route; what they miss is left out."""

    route: Route
    people: int


class Exclusion(Item):
    """Members who stay out of the audience for a reason: `segment` with its id, or `debtor`."""

    reason: str
    segment_id: UUID | None = None
    people: int


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
    exclusions: tuple[Exclusion, ...] = ()
    """What was left out as the request says; a member may be under several."""
    debtors: int = 0
    """Members who are reminded of an invoice, left out or not."""
    doubtful_names: int = 0
    """Members whose name to be called by does not look like one."""
    tired: int = 0
    """Members who have got as many messages lately as the request calls tiring."""
    without_text: int = 0
    """Consents for the channels of which no shown text is kept, beside all consents."""
    consents: int = 0
    languages: dict[str, int] = Field(default_factory=dict)
    """Members by language."""
    groups: tuple[RouteGroup, ...] = ()
    """Everybody whom a channel reaches, by route."""
    items: tuple[ChannelReach, ...] = Items


class AudienceMember(Item):
    """A person in a frozen audience, and the clauses of the condition that put them there."""

    person_id: UUID
    because: tuple[str, ...] = ()
    route: int | None = None
    """The place of the person's route in the event's `routes`."""


class AudienceFrozenV1(Event, type="contacts.audience.frozen.v1"):
    """A campaign's audience as it was at the launch, in parts of up to 1,000.

    `total` counts the whole audience; a consumer knows that it has all when it has `total` members.
    """

    launch_id: UUID
    campaign_id: UUID
    segment_id: UUID
    segment_name: str = ""
    total: int
    routes: tuple[Route, ...] = ()
    """The different routes of the members, where the request asked for them."""
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


class ClauseFacts(Item):
    """A clause in words, whether it was true, and the facts that decided it: figures, moments and ids."""

    clause: str
    holds: bool
    facts: dict[str, Any] = Field(default_factory=dict, examples=[{"count": 4}])


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


class ConditionMove(Item):
    """A person of whom the condition of a rule has become true (`entered`), or is no longer (`left`)."""

    segment_id: UUID
    person_id: UUID
    change: SegmentChange
    at: datetime
    clauses: tuple[ClauseFacts, ...] = ()
    """Why it became true."""


class ConditionEnteredV1(Event, type="contacts.condition.entered.v1"):
    """Conditions of rules have become true of people: whatever became so together, with the facts of then."""

    items: tuple[ConditionMove, ...] = Items


class ConditionVerdict(Item):
    """What the register says to the condition of a rule. `problem` says what is wrong with one that is refused."""

    rule_id: UUID
    version: int
    segment_id: UUID
    segment_name: str = ""
    is_accepted: bool
    problem: str = ""
    in_words: str = ""
    reads: tuple[str, ...] = ()
    """The kinds of its clauses, with those of the segments that it names."""
    lists: tuple[UUID, ...] = ()
    """The lists that it asks for."""


class ConditionJudgedV1(Event, type="contacts.condition.judged.v1"):
    """The conditions of rules were looked at."""

    items: tuple[ConditionVerdict, ...] = Items


class RehearsedEntry(Item):
    """A person of whom it would have become true, on the day that ends then; or, without a person, the end of it all."""

    person_id: UUID | None = None
    at: datetime


class RehearsalCountedV1(Event, type="contacts.rehearsal.counted.v1"):
    """Of whom a rule's condition would have become true, looked at once for each day."""

    rehearsal_id: UUID
    rule_id: UUID
    entries: int
    listed: int
    """So many of them are told one by one."""
    as_now: tuple[str, ...] = ()
    """Clauses about what the register knows as it is now alone: they were judged by today's facts."""
    problem: str = ""
    items: tuple[RehearsedEntry, ...] = Items
