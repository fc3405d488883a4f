"""Shapes of organisations and links at the API."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from contacts_svc.organisations.rules import MAX_GIVEN, OrganisationKind
from contacts_svc.people.schemas import AddressIn, AddressOut
from kantis_contracts.values import Country
from kantis_kit.web.schemas import In, Out

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Number = Annotated[str, StringConstraints(max_length=MAX_GIVEN)]
Short = Annotated[str, StringConstraints(max_length=200)]
Role = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60),
    Field(description="What the person is there, such as owner, buyer or accountant"),
]
Day = date | Literal[""] | None
Relevance = Annotated[
    int, Field(ge=0, le=100, description="How much the person matters for what is sold there")
]
Reason = Annotated[str, StringConstraints(max_length=500)]


class OrganisationIn(In):
    """A new organisation."""

    name: Name
    kind: OrganisationKind = OrganisationKind.COMPANY
    number: Number = Field(default="", examples=["974 760 673"])
    country: Country = "NO"
    parent_id: UUID | None = None
    email: str = Field(default="", max_length=320)
    phone: str = Field(default="", max_length=40)
    website: Short = ""
    address: AddressIn | None = None
    source: Short = ""
    note: str = Field(default="", max_length=2_000)
    do_not_contact: bool = False
    not_before: Day = None


class OrganisationPatch(In):
    """What changes about an organisation; what is left out stays, an empty text empties."""

    name: Name | None = None
    kind: OrganisationKind | None = None
    number: Number | None = None
    country: Country | None = None
    parent_id: UUID | Literal[""] | None = None
    email: str | None = Field(default=None, max_length=320)
    phone: str | None = Field(default=None, max_length=40)
    website: Short | None = None
    address: AddressIn | None = None
    source: Short | None = None
    note: str | None = Field(default=None, max_length=2_000)
    do_not_contact: bool | None = None
    not_before: Day = None
    reason: Reason = ""


class OrganisationOut(Out):
    """An organisation."""

    id: UUID
    version: int
    name: str
    kind: str
    number: str
    number_as_given: str
    country: str
    parent_id: UUID | None
    email: str
    phone: str
    website: str
    address: AddressOut | None
    address_as_given: str
    warnings: list[str]
    source: str
    note: str
    do_not_contact: bool
    not_before: date | None
    created_at: datetime
    updated_at: datetime


class LinkIn(In):
    """What a contact is in an organisation."""

    organisation_id: UUID
    role: Role
    title: Short = ""
    relevance: Relevance = 50
    is_main: bool = False
    do_not_contact: bool = False
    do_not_contact_reason: Reason = ""
    not_before: Day = Field(
        default=None,
        description="The first day on which the contact may be approached in this role",
    )
    valid_from: Day = None
    valid_to: Day = None
    source: Short = ""
    reason: Reason = ""


class LinkPatch(In):
    """What changes about a link; what is left out stays, an empty text lifts a day."""

    role: Role | None = None
    title: Short | None = None
    relevance: Relevance | None = None
    is_main: bool | None = None
    do_not_contact: bool | None = None
    do_not_contact_reason: Reason | None = None
    not_before: Day = None
    valid_from: Day = None
    valid_to: Day = None
    source: Short | None = None
    reason: Reason = ""


class LinkOut(Out):
    """What a contact is in an organisation, and whether they may be approached in that role today."""

    id: UUID
    version: int
    person_id: UUID
    person_name: str
    organisation_id: UUID
    organisation_name: str
    role: str
    title: str
    relevance: int
    is_main: bool
    do_not_contact: bool
    do_not_contact_reason: str
    not_before: date | None
    valid_from: date | None
    valid_to: date | None
    source: str
    silent_because: str = Field(description="Why not to approach them in this role today, or empty")
    created_at: datetime
    updated_at: datetime


class SparedLinkOut(Out):
    """Somebody who answers a phone in a role."""

    link_id: UUID
    person_id: UUID
    person_name: str
    organisation_id: UUID
    organisation_name: str
    role: str
    relevance: int
    because: str = Field(default="", description="Why they are spared; empty for who is called")


class SparedPhoneOut(Out):
    """A phone: in which role it is called, and in which others the call is spared."""

    phone: str
    called: SparedLinkOut | None
    spared: list[SparedLinkOut]


class SparedOut(Out):
    """Calls that are spared on a day, by phone; each role at a phone counts once."""

    on: date
    silent: int = Field(description="How many must not be called, or not yet")
    outranked: int = Field(description="How many stand behind a more relevant one at their phone")
    items: list[SparedPhoneOut]
    next_cursor: str | None = None


class OrganisationChangeOut(Out):
    """One change of an organisation: per field the value before and after."""

    id: int
    version: int
    at: datetime
    actor: str
    reason: str
    changes: dict[str, Any]
