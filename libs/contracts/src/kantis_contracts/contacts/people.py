"""Who people are."""

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
