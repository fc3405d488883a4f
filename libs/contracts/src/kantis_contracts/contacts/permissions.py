"""What people allow."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Channel, Purpose


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
