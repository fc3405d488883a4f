"""Our own copy of what the DNS says of the domains that mails are from."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.base import Base


class SenderDomain(Base, table=True):
    """A domain as messaging-svc last found it; `checked_at` decides which finding is newer."""

    __tablename__ = "sender_domain"

    domain: str = Field(primary_key=True)
    is_ours: bool
    """Whether the mails of campaigns are from it."""
    findings: list[dict[str, Any]] = Field(sa_type=JSONB)  # shapes of kantis_contracts.messaging
    checked_at: datetime = Field(sa_type=DateTime(timezone=True))
