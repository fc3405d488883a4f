"""What happened between a person and the company, as somebody tells it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from contacts_svc.interactions.schemas import Direction, InteractionKind


class Interaction(Base, table=True):
    """One thing that happened. A source tells each of its own ids once."""

    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_interaction_person", "person_id", "occurred_at"),
        Index("ix_interaction_kind", "kind", "occurred_at"),
    )

    id: UUID = Field(primary_key=True)
    person_id: UUID
    kind: str
    direction: str = ""
    channel: str = ""
    topic: str = ""
    outcome: str = ""
    place: str = ""
    text: str = ""
    campaign_id: UUID | None = None
    source: str = ""
    external_id: str | None = None
    actor: str = ""
    occurred_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)


__all__ = ["Direction", "Interaction", "InteractionKind"]
