"""What persons asked to be told, and what the services have answered so far."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment

SERVICES = ("analytics", "campaign", "messaging", "orders")
"""Who holds something of people beside contacts; the gateway's waiting leads come here by themselves."""


class Dossier(Base, table=True):
    """A wish to be told everything; it goes with all answers when its time is over."""

    __table_args__ = (
        Index("ix_dossier_person", "person_id", "asked_at"),
        Index("ix_dossier_expires", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    person_id: UUID
    person_ids: list[str] = Field(sa_type=JSONB)
    asked_at: datetime = Field(sa_type=Moment)
    asked_by: str
    expires_at: datetime = Field(sa_type=Moment)


class DossierPartRow(Base, table=True):
    """A part of what one service holds."""

    __tablename__ = "dossier_part"

    dossier_id: UUID = Field(
        primary_key=True,
        sa_type=Uuid,
        sa_column_args=(ForeignKey("dossier.id", ondelete="CASCADE"),),
    )
    service: str = Field(primary_key=True)
    part: int = Field(primary_key=True)
    parts: int
    content: str
    answered_at: datetime = Field(sa_type=Moment)
