"""Tables of organisations, and of what people are in them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint, column, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from contacts_svc.organisations.rules import OrganisationKind

TOLD = (
    "name",
    "kind",
    "number",
    "country",
    "parent_id",
    "email",
    "phone",
    "website",
    "street",
    "postal_code",
    "city",
    "address_country",
    "source",
    "note",
    "do_not_contact",
    "not_before",
)
"""What is known of an organisation; the history tells each change."""
LINK_TOLD = (
    "role",
    "title",
    "relevance",
    "is_main",
    "do_not_contact",
    "do_not_contact_reason",
    "not_before",
    "valid_from",
    "valid_to",
    "source",
)


class Organisation(Base, table=True):
    """A company, an authority or an association. A number belongs to one organisation of a country."""

    __table_args__ = (
        Index(
            "ix_organisation_number",
            "country",
            "number",
            unique=True,
            postgresql_where=column("number") != "",
        ),
        Index(
            "ix_organisation_parent",
            "parent_id",
            postgresql_where=column("parent_id").is_not(None),
        ),
        Index("ix_organisation_name", func.lower(column("name"))),
        Index(
            "ix_organisation_not_before",
            "not_before",
            postgresql_where=column("not_before").is_not(None),
        ),
    )

    id: UUID = Field(primary_key=True)
    version: int = 1
    name: str
    kind: str = OrganisationKind.COMPANY
    number: str = ""
    number_as_given: str = ""
    country: str = "NO"
    parent_id: UUID | None = Field(default=None, foreign_key="organisation.id")
    email: str = ""
    phone: str = ""
    website: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    address_country: str = ""
    address_as_given: str = ""
    source: str = ""
    note: str = ""
    do_not_contact: bool = False
    not_before: date | None = None
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class OrganisationChange(Base, table=True):
    """Who changed what of an organisation, when and why."""

    __tablename__ = "organisation_change"
    __table_args__ = (Index("ix_organisation_change_organisation", "organisation_id", "id"),)

    id: int | None = Field(
        default=None, sa_type=BigInteger, primary_key=True, sa_column_args=(Identity(always=True),)
    )
    organisation_id: UUID
    version: int
    at: datetime = Field(sa_type=Moment)
    actor: str
    reason: str = ""
    changes: dict[str, Any] = Field(sa_type=JSONB)


class PersonLink(Base, table=True):
    """What a person is in an organisation. A person may be in many, and several things in one."""

    __tablename__ = "person_link"
    __table_args__ = (
        UniqueConstraint("person_id", "organisation_id", "role"),
        Index("ix_person_link_main", "person_id", unique=True, postgresql_where=column("is_main")),
        Index("ix_person_link_organisation", "organisation_id", "role"),
        Index(
            "ix_person_link_not_before",
            "not_before",
            postgresql_where=column("not_before").is_not(None),
        ),
    )

    id: UUID = Field(primary_key=True)
    version: int = 1
    person_id: UUID = Field(foreign_key="person.id")
    organisation_id: UUID = Field(foreign_key="organisation.id")
    role: str
    title: str = ""
    relevance: int = 50
    """How much this person matters for what the company sells there, 0 to 100."""
    is_main: bool = False
    """Whether this is where the person is met first of all; at most one of a person."""
    do_not_contact: bool = False
    """Whether the person must not be approached in this role; in other roles they may be."""
    do_not_contact_reason: str = ""
    not_before: date | None = None
    """The first day on which the person may be approached in this role."""
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)
