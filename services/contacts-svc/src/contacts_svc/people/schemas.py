"""Shapes of people at the API."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints

from contacts_svc.people.reachability import Outcome
from contacts_svc.people.rules import IdentifierKind
from kantis_contracts.contacts import Lifecycle
from kantis_contracts.values import Country, Language
from kantis_kit.web.schemas import In, Instant, Out

Name = Annotated[str, StringConstraints(max_length=200)]
Salutation = Annotated[
    str,
    StringConstraints(max_length=60),
    Field(description="What stands before the name, such as Herr or Dr; asked for, never guessed"),
]
NotBefore = Annotated[
    date,
    Field(
        description="The first day on which the person may be approached; an empty text lifts it"
    ),
]
Custom = Annotated[
    dict[str, Any],
    Field(
        max_length=500,
        description="Values of the fields that GET /v1/fields/schema describes; null empties",
    ),
]


class IdentifierLabel(StrEnum):
    """Where an e-mail address or phone number leads."""

    NONE = ""
    MOBILE = "mobile"
    HOME = "home"
    WORK = "work"
    SWITCHBOARD = "switchboard"
    OTHER = "other"


class PostalKind(StrEnum):
    """What an address is for; those of kind home take turns on the contact."""

    HOME = "home"
    WORK = "work"
    DELIVERY = "delivery"
    BILLING = "billing"


class RecipientKind(StrEnum):
    """What a person is to the law of marketing: a sole trader's firm is its owner."""

    PERSON = "person"
    SOLE_TRADER = "sole_trader"


class Missing(StrEnum):
    """What a list of contacts may ask to be unknown."""

    PREFERRED_NAME = "preferred_name"
    SALUTATION = "salutation"
    STREET = "street"
    POSTAL_CODE = "postal_code"
    EMAIL = "email"
    PHONE = "phone"
    CONSENT = "consent"
    """A yes to anything, by whatever channel."""


_ZONES = frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name and name not in _ZONES:
        message = "name a zone of the IANA database, such as Europe/Oslo"
        raise ValueError(message)
    return name


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]


class AddressIn(In):
    """Where post goes."""

    street: str = Field(default="", max_length=200)
    postal_code: str = Field(default="", max_length=12)
    city: str = Field(default="", max_length=100)
    country: Country | None = None


class ContactIn(In):
    """A new contact: a name, and an e-mail address or a mobile number (one is enough)."""

    preferred_name: Name = Field(
        default="", description="What the person wants to be called; never guessed"
    )
    salutation: Salutation = ""
    given_name: Name = ""
    family_name: Name = ""
    full_name: Name = ""
    email: str = Field(default="", max_length=320, examples=["kari@example.com"])
    phone: str = Field(default="", max_length=40, examples=["+47 412 34 567"])
    language: Language | None = None
    country: Country | None = None
    time_zone: TimeZone = ""
    lifecycle: Lifecycle | None = None
    address: AddressIn | None = None
    source: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=2_000)
    recipient_kind: RecipientKind | None = None
    do_not_contact: bool | None = None
    not_before: NotBefore | None = None
    custom: Custom = Field(default_factory=dict)
    phone_is_shared: bool = Field(
        default=False,
        description="Others have this phone number too, such as a switchboard: it identifies nobody then",
    )
    after_erasure: bool = Field(
        default=False,
        description="The person has asked to be forgotten before, and now wants to be known again",
    )


class ContactPatch(In):
    """What changes about a contact; what is left out stays, an empty text empties."""

    preferred_name: Name | None = None
    salutation: Salutation | None = None
    given_name: Name | None = None
    family_name: Name | None = None
    full_name: Name | None = None
    email: str | None = Field(default=None, max_length=320)
    phone: str | None = Field(default=None, max_length=40)
    language: Language | None = None
    country: Country | None = None
    time_zone: TimeZone | None = None
    lifecycle: Lifecycle | None = None
    address: AddressIn | None = None
    source: str | None = Field(default=None, max_length=200)
    note: str | None = Field(default=None, max_length=2_000)
    recipient_kind: RecipientKind | None = None
    do_not_contact: bool | None = None
    not_before: NotBefore | Literal[""] | None = None
    custom: Custom = Field(default_factory=dict)
    reason: str = Field(
        default="", max_length=500, description="Why it is changed; kept in the history"
    )


class AddressOut(Out):
    """Where post goes."""

    street: str
    postal_code: str
    city: str
    country: str


class IdentifierOut(Out):
    """An e-mail address or phone number of a contact."""

    id: UUID
    kind: str
    value: str
    as_given: str
    label: str
    is_primary: bool
    is_identifying: bool
    valid_from: date | None
    valid_to: date | None
    source: str
    validity: str
    reachability: str
    reach_reason: str
    reach_changes_at: datetime | None


class ContactOut(Out):
    """A contact."""

    id: UUID
    version: int
    preferred_name: str
    salutation: str
    given_name: str
    family_name: str
    full_name: str
    email: str | None
    phone: str | None
    language: str
    country: str
    time_zone: str
    lifecycle: str
    recipient_kind: str
    do_not_contact: bool
    not_before: date | None
    custom: dict[str, Any]
    address: AddressOut | None
    source: str
    note: str
    identifiers: list[IdentifierOut]
    created_at: datetime
    updated_at: datetime
    merged_from: UUID | None = None
    """The id that was asked for, when that contact was merged into this one."""


class ChangeOut(Out):
    """One change of a contact: per field the value before and after."""

    id: int
    version: int
    at: datetime
    actor: str
    import_id: UUID | None
    import_row: int | None
    reason: str
    changes: dict[str, Any]


class IdentifierIn(In):
    """Another e-mail address or phone number of a contact."""

    kind: IdentifierKind
    value: str = Field(min_length=1, max_length=320)
    label: IdentifierLabel = IdentifierLabel.NONE
    source: str = Field(default="", max_length=200)
    valid_from: date | None = None
    valid_to: date | None = None
    is_primary: bool = Field(default=False, description="Whether messages of this kind go here")
    is_shared: bool = Field(
        default=False, description="Whether others have this phone too; it identifies nobody then"
    )
    reason: str = Field(default="", max_length=500)


class IdentifierPatch(In):
    """What changes about an identifier; its value never does. An empty text lifts a day."""

    label: IdentifierLabel | None = None
    source: str | None = Field(default=None, max_length=200)
    valid_from: date | Literal[""] | None = None
    valid_to: date | Literal[""] | None = None
    is_primary: Literal[True] | None = None
    reason: str = Field(default="", max_length=500)


class EvidenceIn(In):
    """What happened to a message, a letter or a call."""

    outcome: Outcome
    occurred_at: Instant
    source: str = Field(min_length=1, max_length=200)
    detail: str = Field(default="", max_length=1_000)
    external_id: str | None = Field(
        default=None, max_length=200, description="Told twice under one id, it counts once"
    )


class UndoIn(In):
    """Why an address that was given up works after all."""

    reason: str = Field(min_length=1, max_length=500)


class EvidenceOut(Out):
    """What happened at an address."""

    id: UUID
    outcome: str
    source: str
    detail: str
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    undone_at: datetime | None


class ReachOut(Out):
    """Whether messages arrive, why that is believed, and until when."""

    reachability: str
    reach_reason: str
    reach_changes_at: datetime | None
    evidence: list[EvidenceOut]


class PostalAddressIn(In):
    """An address that holds from a day on, until a day, or now."""

    kind: PostalKind = PostalKind.HOME
    care_of: str = Field(default="", max_length=100)
    street: str = Field(default="", max_length=200)
    postal_code: str = Field(default="", max_length=12)
    city: str = Field(default="", max_length=100)
    country: Country | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=500)


class PostalAddressOut(Out):
    """An address in its one spelling, as it was given, and what looks wrong about it."""

    id: UUID
    kind: str
    care_of: str
    street: str
    postal_code: str
    city: str
    country: str
    as_given: dict[str, str]
    warnings: list[str]
    valid_from: date | None
    valid_to: date | None
    source: str
    is_in_use: bool
    reachability: str
    reach_reason: str
    created_at: datetime
