"""Facts that contacts-svc publishes: who people are and what they allow."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Channel, Country, Language, PostalAddress, Purpose


class Lifecycle(StrEnum):
    """Where a person stands with the company."""

    PROSPECT = "prospect"
    LEAD = "lead"
    NEW = "new"
    ACTIVE = "active"
    PASSIVATING = "passivating"
    LAPSED = "lapsed"


class PermissionState(StrEnum):
    """What a person says to messages of a purpose in a channel."""

    GRANTED = "granted"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"


class PersonCard(Item):
    """What others need to address and greet a person.

    `preferred_name` is what the person wants to be called; empty when never given, and never guessed.
    """

    person_id: UUID
    version: int
    preferred_name: str = ""
    full_name: str = ""
    language: Language = Language.EN
    country: Country = "NO"
    email: str | None = None
    phone: str | None = None
    address: PostalAddress | None = None
    lifecycle: Lifecycle = Lifecycle.PROSPECT
    is_erased: bool = False


class PersonChangedV1(Event, type="contacts.person.changed.v1"):
    """Persons are new, or something on their card has changed."""

    items: tuple[PersonCard, ...] = Items


class PermissionEntry(Item):
    """The state of one permission after an entry in the ledger; `version` grows with the ledger."""

    person_id: UUID
    channel: Channel
    purpose: Purpose
    state: PermissionState
    version: int
    ledger_id: UUID
    legal_basis: str = "consent"
    occurred_at: datetime


class PermissionChangedV1(Event, type="contacts.permission.changed.v1"):
    """The permission ledger has new entries."""

    items: tuple[PermissionEntry, ...] = Items


class ConfirmationRequest(Item):
    """A person must confirm an address before anything else is sent to it."""

    request_id: UUID
    person_id: UUID
    email: str
    preferred_name: str = ""
    language: Language = Language.EN
    form_key: str
    confirm_path: str
    """Path of the confirmation page under the public address, with its token."""


class ConfirmationRequestedV1(Event, type="contacts.confirmation.requested.v1"):
    """Leads came in whose addresses wait for their owners' confirmation."""

    items: tuple[ConfirmationRequest, ...] = Items


class LeadReceived(Item):
    """A lead from a form."""

    lead_id: UUID
    person_id: UUID
    form_key: str
    source: str = ""
    is_confirmed: bool = False


class LeadReceivedV1(Event, type="contacts.lead.received.v1"):
    """Web sites have posted leads."""

    items: tuple[LeadReceived, ...] = Items


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
