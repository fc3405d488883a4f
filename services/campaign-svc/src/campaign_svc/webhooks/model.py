"""Where we tell other systems of what was done, and what was told: one row per target and step."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.base import Base

_MOMENT = DateTime(timezone=True)
SEALED = "webhook secrets"
"""What the secrets are sealed for."""


class Webhook(Base, table=True):
    """An address of another system."""

    id: UUID = Field(primary_key=True)
    name: str
    url: str
    key_id: str
    sealed: bytes
    """The secret; it is shown once, and never again."""
    created_by: str
    created_at: datetime = Field(sa_type=_MOMENT)
    changed_at: datetime = Field(sa_type=_MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class WebhookDelivery(Base, table=True):
    """What is told of one step. Those of one person to one address go in the order of their numbers."""

    __tablename__ = "webhook_delivery"

    id: UUID = Field(primary_key=True)
    """The step's own: the receiver knows by it what it has had."""
    number: int | None = Field(
        default=None, sa_type=BigInteger, sa_column_args=(Identity(always=True),)
    )
    webhook_id: UUID
    person_id: UUID
    merged_id: UUID | None = None
    body: dict[str, Any] = Field(sa_type=JSONB)
    state: str
    attempts: int = 0
    due_at: datetime = Field(sa_type=_MOMENT)
    """When it is tried next; a delivery that is under way is another sender's after that."""
    status: int | None = None
    problem: str = ""
    made_at: datetime = Field(sa_type=_MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=_MOMENT)
