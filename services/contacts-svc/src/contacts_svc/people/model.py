"""Tables of people, and what may change about a person."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from contacts_svc.people.rules import Address, IdentifierKind, language_of, zone_of

FIELDS = (
    "preferred_name",
    "given_name",
    "family_name",
    "full_name",
    "language",
    "country",
    "time_zone",
    "lifecycle",
    "source",
    "note",
    "street",
    "postal_code",
    "city",
    "address_country",
)
"""What is known of a person beside the addresses; the history tells each change."""

NAMES = ("preferred_name", "given_name", "family_name", "full_name")
FREE_TEXT = (*NAMES, "source", "note", "street", "postal_code", "city")
"""Where people write what they like: national identity numbers are refused here."""


class Reachability(StrEnum):
    """Whether messages arrive."""

    UNKNOWN = "unknown"
    REACHABLE = "reachable"
    UNDELIVERABLE = "undeliverable"


class Person(Base, table=True):
    """A natural person. `preferred_name` is what they want to be called: given, or empty, never guessed."""

    id: UUID = Field(primary_key=True)
    version: int = 1
    preferred_name: str = ""
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
    is_erased: bool = False
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)

    def known(self) -> dict[str, str]:
        """Return the fields of which the history is kept."""
        return {name: getattr(self, name) for name in FIELDS}

    def erase(self, *, at: datetime) -> None:
        """Forget who this was; the id stays, so that others can forget too."""
        for name in FIELDS:
            setattr(self, name, "")
        self.language, self.country, self.time_zone, self.lifecycle = "en", "NO", "UTC", "prospect"
        self.is_erased, self.updated_at, self.version = True, at, self.version + 1


class Identifier(Base, table=True):
    """An e-mail address or phone number; each belongs to one person.

    The reference to the person is checked at the commit: an address is claimed before its person is written.
    """

    __table_args__ = (
        Index(
            "ix_identifier_primary",
            "person_id",
            "kind",
            unique=True,
            postgresql_where=column("is_primary"),
        ),
    )

    kind: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    person_id: UUID = Field(
        index=True, sa_column_args=(ForeignKey("person.id", deferrable=True, initially="DEFERRED"),)
    )
    as_given: str
    is_primary: bool = True
    validity: str = "valid"
    reachability: str = Reachability.UNKNOWN
    created_at: datetime = Field(sa_type=Moment)


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
    changes: dict[str, Any] = Field(sa_type=JSONB)


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
    after_erasure: bool = False
    """Whether the person wants to be known again after having asked to be forgotten."""
    keys: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.keys = tuple(address.key for address in self.addresses)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """What identifies the person, the e-mail address first."""
        return tuple(address for address in (self.email, self.phone) if address is not None)

    def complete(self) -> dict[str, str]:
        """Return all fields of a new person, with what follows from those given; never a preferred name."""
        known = dict.fromkeys(FIELDS, "") | {k: v for k, v in self.fields.items() if v}
        known["country"] = known["country"] or "NO"
        known["language"] = known["language"] or language_of(known["country"]).value
        known["time_zone"] = known["time_zone"] or zone_of(known["country"])
        known["lifecycle"] = known["lifecycle"] or "prospect"
        known["full_name"] = known["full_name"] or " ".join(
            part for part in (known["given_name"], known["family_name"]) if part
        )
        if known["street"] or known["postal_code"] or known["city"]:
            known["address_country"] = known["address_country"] or known["country"]
        return known

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
    "NAMES",
    "Draft",
    "Identifier",
    "IdentifierKind",
    "OnExisting",
    "Origin",
    "Person",
    "PersonAlias",
    "PersonChange",
    "Reachability",
    "Saved",
    "SuppressedAddress",
    "Verdict",
]
