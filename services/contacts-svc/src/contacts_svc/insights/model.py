"""What the company has learned about what people want and what holds them back, in a vocabulary of its own."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from contacts_svc.insights.schemas import InsightKind, InsightSource


class InsightTerm(Base, table=True):
    """A word of the vocabulary; it can be closed, never deleted, so that what was said keeps its meaning."""

    __tablename__ = "insight_term"
    __table_args__ = (Index("ix_insight_term_kind", "kind", "id"),)

    id: UUID = Field(primary_key=True)
    key: str = Field(unique=True)
    """What conditions, forms and files call it; never changed."""
    version: int = 1
    kind: str
    words: dict[str, str] = Field(sa_type=JSONB)
    """The term in each language."""
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)


class Insight(Base, table=True):
    """A person has said or shown something on a day; it holds until a day, or until somebody says otherwise."""

    __table_args__ = (
        UniqueConstraint("person_id", "term_id", "source", "said_at"),
        Index("ix_insight_person", "person_id", "said_at"),
        Index("ix_insight_term", "term_id", "said_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    person_id: UUID
    term_id: UUID = Field(sa_column_args=(ForeignKey("insight_term.id"),))
    strength: int
    """1 (mentioned) to 5 (decides)."""
    source: str
    campaign_id: UUID | None = None
    note: str = ""
    actor: str = ""
    said_at: datetime = Field(sa_type=Moment)
    until: datetime | None = Field(default=None, sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)


class NeedProduct(Base, table=True):
    """A product that answers a need, and how well: 1 to 5."""

    __tablename__ = "need_product"

    term_id: UUID = Field(primary_key=True, sa_column_args=(ForeignKey("insight_term.id"),))
    product_id: UUID = Field(primary_key=True, index=True)
    weight: int
    at: datetime = Field(sa_type=Moment)


class ProductKnown(Base, table=True):
    """A product as the newest version told has it."""

    __tablename__ = "product_known"

    product_id: UUID = Field(primary_key=True)
    version: int
    sku: str = Field(index=True)
    name: str
    price_minor: int = Field(sa_type=BigInteger)
    currency: str
    available: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Learned:
    """Something learned about a person, on its way into the register."""

    person_id: UUID
    term_key: str
    source: InsightSource
    said_at: datetime
    strength: int = 3
    campaign_id: UUID | None = None
    note: str = ""
    until: datetime | None = None


__all__ = [
    "Insight",
    "InsightKind",
    "InsightSource",
    "InsightTerm",
    "Learned",
    "NeedProduct",
    "ProductKnown",
]
