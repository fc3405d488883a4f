"""Shapes of self-service at the API."""

from datetime import datetime
from typing import Any
from uuid import UUID

from contacts_svc.people.schemas import ChangeOut, ContactOut
from contacts_svc.permissions.schemas import PermissionOut, ProofOut, SuppressionOut, WishesOut
from kantis_kit.web.schemas import Out


class PagesOut(Out):
    """Paths of a contact's own pages under the public address; those of data and erasure work for an hour."""

    preferences: str
    profile: str
    consents: str
    data: str
    erase: str


class OrderOut(Out):
    """An order that we were told of."""

    order_id: UUID
    number: str
    total_minor: int
    currency: str
    lines: list[dict[str, Any]]
    placed_at: datetime
    paid_at: datetime | None


class OwnDataOut(Out):
    """What the register of contacts knows of a person."""

    contact: ContactOut
    wishes: WishesOut
    permissions: list[PermissionOut]
    ledger: list[ProofOut]
    suppressions: list[SuppressionOut]
    changes: list[ChangeOut]
    orders: list[OrderOut]
