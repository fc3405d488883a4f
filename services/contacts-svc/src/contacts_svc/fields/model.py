"""Tables of the fields that the company declares."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment


class CustomField(Base, table=True):
    """A field that the company has declared. The key and the kind never change; a closed field takes no new values."""

    __tablename__ = "custom_field"

    key: str = Field(primary_key=True)
    version: int = 1
    kind: str
    titles: dict[str, str] = Field(sa_type=JSONB)
    """What the field is called, per language."""
    description: str = ""
    rules: dict[str, Any] = Field(sa_type=JSONB)
    """`choices`, `min`, `max`, `max_length`, `pattern`, `country`: which of them depends on the kind."""
    is_filtered: bool = False
    """Whether conditions may ask for it: its values stand in `field_value` then."""
    is_closed: bool = False
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class FieldValue(Base, table=True):
    """A value of a field that conditions filter by.

    Text, choices and flags (`true`, `false`) stand in `text_value`, numbers in `number_value`. Several choices are
    several rows.
    """

    __tablename__ = "field_value"
    __table_args__ = (
        Index(
            "ix_field_value_text",
            "key",
            "text_value",
            "person_id",
            postgresql_where=column("text_value").is_not(None),
        ),
        Index(
            "ix_field_value_number",
            "key",
            "number_value",
            "person_id",
            postgresql_where=column("number_value").is_not(None),
        ),
        Index(
            "ix_field_value_date",
            "key",
            "date_value",
            "person_id",
            postgresql_where=column("date_value").is_not(None),
        ),
        Index("ix_field_value_person", "person_id"),
    )

    key: str = Field(primary_key=True, foreign_key="custom_field.key")
    person_id: UUID = Field(
        primary_key=True,
        sa_column_args=(ForeignKey("person.id", deferrable=True, initially="DEFERRED"),),
    )
    position: int = Field(default=0, primary_key=True)
    text_value: str | None = None
    number_value: Decimal | None = Field(default=None, sa_type=Numeric)
    date_value: date | None = None


class FieldSecret(Base, table=True):
    """A national identity number, in the one place that is made for it."""

    __tablename__ = "field_secret"

    key: str = Field(primary_key=True, foreign_key="custom_field.key")
    person_id: UUID = Field(
        primary_key=True,
        sa_column_args=(ForeignKey("person.id", deferrable=True, initially="DEFERRED"),),
    )
    value: str

    __table_args__ = (Index("ix_field_secret_person", "person_id"),)
