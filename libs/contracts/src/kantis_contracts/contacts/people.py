"""Who people are."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Country, Language, PostalAddress


class Lifecycle(StrEnum):
    """Where a person stands with the company."""

    PROSPECT = "prospect"
    LEAD = "lead"
    NEW = "new"
    ACTIVE = "active"
    PASSIVATING = "passivating"
    LAPSED = "lapsed"


class PersonCard(Item):
    """What others need to address and greet a person.

    `preferred_name` is what the person wants to be called, `salutation` what stands before it; both are empty when
    never given, and never guessed. `undeliverable` names the kinds of address (email, phone, address) at which
    messages are known not to arrive.
    """

    person_id: UUID
    version: int
    preferred_name: str = ""
    salutation: str = ""
    full_name: str = ""
    language: Language = Language.EN
    country: Country = "NO"
    email: str | None = None
    phone: str | None = None
    address: PostalAddress | None = None
    lifecycle: Lifecycle = Lifecycle.PROSPECT
    is_erased: bool = False
    time_zone: str = ""
    recipient_kind: str = "person"
    do_not_contact: bool = False
    not_before: date | None = None
    """The first day on which the person may be approached."""
    undeliverable: tuple[str, ...] = ()


class PersonChangedV1(Event, type="contacts.person.changed.v1"):
    """Persons are new, or something on their card has changed."""

    items: tuple[PersonCard, ...] = Items


class PersonMerge(Item):
    """One record of a person became part of another, or stands on its own again.

    `version` grows with every merge and undoing of the merged record; of two accounts the higher one holds. Whoever
    was merged may have been known to others as somebody else's known record: follow the chain to its end.
    """

    merge_id: UUID
    merged_id: UUID
    known_id: UUID
    version: int
    is_undone: bool = False
    at: datetime
    """When it was merged, or undone."""


class PersonMergedV1(Event, type="contacts.person.merged.v1"):
    """Two records of one person became one: every reference to the merged one follows; `is_undone` gives them back."""

    items: tuple[PersonMerge, ...] = Items
