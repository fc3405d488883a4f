"""What people allow, how they want to be written to, and what they have asked for on their own pages."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Channel, Language, Purpose


class PermissionState(StrEnum):
    """What a person says to messages of a purpose in a channel."""

    GRANTED = "granted"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"


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


class PreferenceCard(Item):
    """How a person wants to be written to, all of it; what they never said is empty. The newest version counts."""

    person_id: UUID
    version: int
    topics: dict[str, bool] = {}
    """What was said of the company's topics, by key; False is a no."""
    channels: tuple[Channel, ...] = ()
    """The one they like best first."""
    hour_from: int | None = None
    hour_to: int | None = None
    days: tuple[int, ...] = ()
    """ISO weekdays, Monday is 1; empty is any."""
    per_month: int | None = None
    paused_until: datetime | None = None
    changed_at: datetime


class PreferenceChangedV1(Event, type="contacts.preference.changed.v1"):
    """People have said how they want to be written to."""

    items: tuple[PreferenceCard, ...] = Items


class SuppressionEntry(Item):
    """An address that gets nothing that advertises in a scope, or gets it again.

    `address` is empty when the suppression is lifted: it is not known any longer. Who takes it keeps a hash of it.
    """

    suppression_id: UUID
    version: int
    kind: str
    """`email` or `phone`."""
    address: str = ""
    scope: str
    """`everything`, `channel`, `topic` or `list`."""
    scope_id: str = ""
    is_lifted: bool = False
    changed_at: datetime


class SuppressionChangedV1(Event, type="contacts.suppression.changed.v1"):
    """Addresses have been suppressed in a scope, or are no longer."""

    items: tuple[SuppressionEntry, ...] = Items


class PageRequest(Item):
    """Somebody has asked on a person's pages for a link that only the owner of the address may have.

    Requests for the same page within an hour have the same id: one mail is enough.
    """

    request_id: UUID
    person_id: UUID
    page: str
    """`data` (what is known of the person) or `erase`."""
    email: str
    path: str
    """Path of the page under the public address, with a token that lives for an hour."""
    language: Language = Language.EN
    preferred_name: str = ""


class PageRequestedV1(Event, type="contacts.page.requested.v1"):
    """People wait for a link to one of their own pages."""

    items: tuple[PageRequest, ...] = Items
