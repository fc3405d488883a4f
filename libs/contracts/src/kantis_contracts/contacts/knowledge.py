"""What people are in organisations, and what they want: what somebody needs to know before they call."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from kantis_contracts.base import Event, Item, Items


class LinkCard(Item):
    """What a person is in an organisation. Of two accounts the one with the higher version holds.

    `do_not_contact` and `not_before` hold for the role whoever said so: the person in it, or the organisation.
    """

    link_id: UUID
    version: int
    person_id: UUID
    organisation_id: UUID
    organisation_name: str = ""
    role: str = ""
    relevance: int = 50
    is_main: bool = False
    do_not_contact: bool = False
    not_before: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    is_removed: bool = False


class LinkChangedV1(Event, type="contacts.link.changed.v1"):
    """People are something new in organisations, or are approached there otherwise than before."""

    items: tuple[LinkCard, ...] = Items


class InsightCard(Item):
    """What was learned about a person, in a word of the vocabulary. It never changes; it may be taken back."""

    insight_id: UUID
    person_id: UUID
    term: str
    kind: str
    """`need`, `objection`, `motive`, `barrier`, `no_buy_reason`."""
    words: dict[str, str] = Field(default_factory=dict)
    """The word in each language."""
    strength: int = 3
    source: str = ""
    said_at: datetime
    until: datetime | None = None
    is_taken_back: bool = False


class InsightChangedV1(Event, type="contacts.insight.changed.v1"):
    """Something was learned about people, or was taken back."""

    items: tuple[InsightCard, ...] = Items
