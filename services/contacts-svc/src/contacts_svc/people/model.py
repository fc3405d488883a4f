"""Tables of people, and what may change about a person."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, column, func, not_
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from contacts_svc.people.history import Changes
from contacts_svc.people.reachability import Reachability
from contacts_svc.people.rules import Address, IdentifierKind, language_of, zone_of
from kantis_kit.ids import new_id

FIELDS = (
    "preferred_name", "salutation", "given_name", "family_name", "full_name", "language",
    "country", "time_zone", "lifecycle", "source", "note", "street", "postal_code", "city",
    "address_country", "address_as_given",
)  # fmt: skip
"""What is known of a person beside the addresses; the history tells each change."""

_EMPTY = dict.fromkeys(FIELDS, "")
MARKS = ("recipient_kind", "do_not_contact", "not_before")
"""What decides whether and how a person may be approached, beside the permissions."""
NAMES = ("preferred_name", "given_name", "family_name", "full_name")
FREE_TEXT = (*NAMES, "salutation", "source", "note", "street", "postal_code", "city")
"""Where people write what they like: national identity numbers are refused here."""


class Person(Base, table=True):
    """A natural person. `preferred_name` and `salutation` are asked for: given, or empty, never guessed."""

    __table_args__ = (
        Index(
            "ix_person_not_before", "not_before", postgresql_where=column("not_before").is_not(None)
        ),
        Index(
            "ix_person_profile",
            *(
                "country",
                "lifecycle",
                "language",
                "source",
                "postal_code",
                "city",
                "created_at",
                "id",
            ),
            postgresql_where=not_(column("is_erased")),
        ),
        Index("ix_person_city", func.lower(column("city"))),
        Index(
            "ix_person_postal_code",
            "postal_code",
            postgresql_ops={"postal_code": "text_pattern_ops"},
        ),
        Index("ix_person_created_at", "created_at"),
    )

    id: UUID = Field(primary_key=True)
    version: int = 1
    preferred_name: str = ""
    salutation: str = ""
    given_name: str = ""
    family_name: str = ""
    full_name: str = ""
    language: str = "en"
    country: str = "NO"
    time_zone: str = "UTC"
    lifecycle: str = "prospect"
    source: str = ""
    note: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    address_country: str = ""
    address_as_given: str = ""
    """How the address was written, where that differs from how it is kept."""
    recipient_kind: str = "person"
    do_not_contact: bool = False
    not_before: date | None = None
    """The first day on which the person may be approached."""
    custom: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    """Values of the fields that the company has declared, by their keys."""
    is_erased: bool = False
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)

    def known(self) -> dict[str, str]:
        """Return the fields of which the history is kept."""
        return {name: getattr(self, name) for name in FIELDS}

    def erase(self, *, at: datetime, version: int) -> None:
        """Forget who this was; the id stays, so that others can forget too."""
        for name in FIELDS:
            setattr(self, name, "")
        self.language, self.country, self.time_zone, self.lifecycle = "en", "NO", "UTC", "prospect"
        self.recipient_kind, self.do_not_contact, self.not_before = "person", False, None
        self.custom = {}
        self.is_erased, self.updated_at, self.version = True, at, version


class Identifier(Base, table=True):
    """An e-mail address or phone number of a person.

    One that identifies belongs to one person; a shared phone stands with each of those who share it and identifies
    nobody. Triggers see to it that the person is there: at the commit, as an address is claimed before its person is
    written, or at once for whoever writes persons first (`kantis.persons_first`).
    """

    __table_args__ = (
        Index(
            "ix_identifier_primary",
            "person_id",
            "kind",
            unique=True,
            postgresql_where=column("is_primary"),
        ),
        Index(
            "ix_identifier_owner",
            "kind",
            "value",
            unique=True,
            postgresql_where=column("is_identifying"),
        ),
        Index(
            "ix_identifier_shared",
            "kind",
            "value",
            postgresql_where=not_(column("is_identifying")),
        ),
        Index("ix_identifier_once", "person_id", "kind", "value", unique=True),
        Index(
            "ix_identifier_decay",
            "reach_changes_at",
            postgresql_where=column("reach_changes_at").is_not(None),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str
    value: str
    person_id: UUID
    as_given: str
    label: str = ""
    is_primary: bool = True
    is_identifying: bool = True
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    validity: str = "valid"
    reachability: str = Reachability.UNKNOWN
    reach_reason: str = ""
    reach_changes_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the state of reachability is too old to be believed; None while nothing will change by itself."""
    created_at: datetime = Field(sa_type=Moment)


OWNED = ("kind", "value")
"""What is unique among identifiers where `is_identifying`: name both in ON CONFLICT."""


class PostalAddress(Base, table=True):
    """Where post goes, in a time; the one in use stands on the person too."""

    __tablename__ = "postal_address"
    __table_args__ = (
        Index("ix_postal_address_person", "person_id"),
        Index("ix_postal_address_code", "country", "postal_code"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    kind: str = "home"
    care_of: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = "NO"
    as_given: dict[str, str] = Field(sa_type=JSONB)
    warnings: list[str] = Field(sa_type=JSONB)
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    is_in_use: bool = False
    reachability: str = Reachability.UNKNOWN
    reach_reason: str = ""
    reach_changes_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)


class ReachEvidence(Base, table=True):
    """Something that happened to a message, from which reachability follows."""

    __tablename__ = "reach_evidence"
    __table_args__ = (
        Index("ix_reach_evidence_identifier", "identifier_id", "occurred_at"),
        Index("ix_reach_evidence_address", "postal_address_id", "occurred_at"),
        Index("ix_reach_evidence_person", "person_id"),
        Index(
            "ix_reach_evidence_external",
            "identifier_id",
            "postal_address_id",
            "external_id",
            unique=True,
            postgresql_where=column("external_id").is_not(None),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID
    identifier_id: UUID | None = Field(
        default=None, sa_column_args=(ForeignKey("identifier.id", ondelete="CASCADE"),)
    )
    postal_address_id: UUID | None = Field(
        default=None, sa_column_args=(ForeignKey("postal_address.id", ondelete="CASCADE"),)
    )
    outcome: str
    source: str = ""
    detail: str = ""
    external_id: str | None = None
    occurred_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    actor: str
    undone_at: datetime | None = Field(default=None, sa_type=Moment)


class PersonChange(Base, table=True):
    """Who changed what of a person, when, and from which row of which import."""

    __tablename__ = "person_change"

    id: int | None = Field(
        default=None, sa_type=BigInteger, primary_key=True, sa_column_args=(Identity(always=True),)
    )
    person_id: UUID = Field(index=True)
    version: int
    at: datetime = Field(sa_type=Moment)
    actor: str
    import_id: UUID | None = None
    import_row: int | None = None
    reason: str = ""
    changes: dict[str, Any] = Field(sa_type=Changes)


class PersonAlias(Base, table=True):
    """The id of a person who was merged into another; it answers with the known one for ever."""

    __tablename__ = "person_alias"

    merged_id: UUID = Field(primary_key=True)
    known_id: UUID = Field(index=True)
    version: int
    at: datetime = Field(sa_type=Moment)


class SuppressedAddress(Base, table=True):
    """A keyed hash of an address whose owner has asked to be forgotten: it must not come back with a bought list."""

    __tablename__ = "suppressed_address"

    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    kind: str
    erased_at: datetime = Field(sa_type=Moment)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from."""

    actor: str
    import_id: UUID | None = None
    reason: str = ""
    """Why somebody changed it, in their words."""


class OnExisting(StrEnum):
    """What happens to a contact that is there already."""

    UPDATE = "update"
    """What was given replaces what is known."""
    KEEP = "keep"
    """Nothing is changed."""


@dataclass(slots=True)
class Draft:
    """A person as somebody describes them; empty fields say nothing."""

    fields: dict[str, str]
    email: Address | None = None
    phone: Address | None = None
    row: int | None = None
    marks: dict[str, Any] = field(default_factory=dict)
    """Of `MARKS`, those that are said."""
    custom: dict[str, Any] = field(default_factory=dict)
    """Values of declared fields, as `fields.usecases.check_values` gives them back."""
    keeps: frozenset[str] = frozenset()
    """Fields, also `custom.<key>`, in which what is known already stays."""
    shares_phone: bool | None = None
    """Whether the phone belongs to somebody else too and does not identify this person; None lets names decide."""
    after_erasure: bool = False
    """Whether the person wants to be known again after having asked to be forgotten."""
    is_claim: bool = False
    """Whether nobody has shown that the addresses are theirs: knowing somebody's phone makes no mailbox that person's."""
    keys: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        # Not by `address.key`: an enumeration's value costs more than all the rest, and imports make millions of these.
        given = (("email", self.email), ("phone", self.phone))
        self.keys = tuple([(kind, one.value) for kind, one in given if one is not None])

    @property
    def addresses(self) -> tuple[Address, ...]:
        """What identifies the person, the e-mail address first."""
        return tuple(address for address in (self.email, self.phone) if address is not None)

    def complete(self) -> dict[str, str]:
        """Return all fields of a new person, with what follows from those given; never a preferred name."""
        # Imports make millions of these: nothing is put together that is said already.
        known = {**_EMPTY, **self.fields}
        if None in known.values():
            known = {name: value or "" for name, value in known.items()}
        country = known["country"]
        if not country:
            country = known["country"] = "NO"
        known["language"] = known["language"] or language_of(country).value
        known["time_zone"] = known["time_zone"] or zone_of(country)
        known["lifecycle"] = known["lifecycle"] or "prospect"
        if not known["full_name"]:
            given, family = known["given_name"], known["family_name"]
            known["full_name"] = f"{given} {family}" if given and family else given or family
        if known["street"] or known["postal_code"] or known["city"]:
            known["address_country"] = known["address_country"] or country
        return known

    def says_of(self, person: Person) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the fields and declared values that this draft changes of a person who is known."""
        fields = {
            name: value
            for name, value in self.fields.items()
            if value and not (name in self.keeps and getattr(person, name))
        }
        custom = {
            key: value
            for key, value in self.custom.items()
            if not (f"custom.{key}" in self.keeps and person.custom.get(key) not in (None, "", []))
        }
        return fields, custom

    def has_name(self) -> bool:
        """Say whether there is any name to call the person by."""
        return any(self.fields.get(name) for name in NAMES)


class Verdict(StrEnum):
    """What became of a draft."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of one draft; `reason` says why it was refused."""

    verdict: Verdict
    person_id: UUID | None = None
    reason: str = ""


__all__ = [
    "FIELDS",
    "FREE_TEXT",
    "MARKS",
    "NAMES",
    "OWNED",
    "Draft",
    "Identifier",
    "IdentifierKind",
    "OnExisting",
    "Origin",
    "Person",
    "PersonAlias",
    "PersonChange",
    "PostalAddress",
    "ReachEvidence",
    "Reachability",
    "Saved",
    "SuppressedAddress",
    "Verdict",
]
