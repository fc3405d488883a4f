"""Tables of forms, leads and confirmations."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment


class Form(Base, table=True):
    """A signup form: what it asks consent for, in which words, and who may post to it."""

    id: UUID = Field(primary_key=True)
    key: str = Field(unique=True)
    version: int = 1
    is_active: bool = True
    source: str
    purposes: list[str] = Field(sa_type=JSONB)
    channels: list[str] = Field(sa_type=JSONB)
    default_language: str
    country: str
    titles: dict[str, str] = Field(sa_type=JSONB)
    consent: dict[str, dict[str, str]] = Field(sa_type=JSONB)
    double_opt_in: bool = True
    redirects: list[str] = Field(sa_type=JSONB)
    origins: list[str] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class ConsentText(Base, table=True):
    """The words of a consent in one language and version; kept for ever, because they prove what was said yes to."""

    __tablename__ = "consent_text"

    form_id: UUID = Field(primary_key=True)
    language: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    words: str


class FormTrap(Base, table=True):
    """How many machines a form has caught, per day."""

    __tablename__ = "form_trap"

    form_id: UUID = Field(primary_key=True)
    on_day: date = Field(primary_key=True)
    caught: int


class Lead(Base, table=True):
    """What a person has posted to a form; once per person and form, however often it was sent."""

    __table_args__ = (UniqueConstraint("form_id", "person_id"),)

    id: UUID = Field(primary_key=True)
    form_id: UUID
    form_key: str
    person_id: UUID = Field(index=True)
    is_consented: bool
    language: str
    fields: dict[str, Any] = Field(sa_type=JSONB)
    text_version: str
    evidence: dict[str, Any] = Field(sa_type=JSONB)
    times: int = 1
    first_at: datetime = Field(sa_type=Moment)
    last_at: datetime = Field(sa_type=Moment)


class Confirmation(Base, table=True):
    """A question to the owner of an address: was it you?"""

    id: UUID = Field(primary_key=True)
    lead_id: UUID = Field(index=True)
    form_id: UUID
    person_id: UUID = Field(index=True)
    email: str
    language: str
    purposes: list[str] = Field(sa_type=JSONB)
    text_shown: str
    text_version: str
    requested_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    confirmed_at: datetime | None = Field(default=None, sa_type=Moment)


class ConfirmationSlot(Base, table=True):
    """When a mailbox was last asked: at most once in 24 hours, whatever form and spelling of the address."""

    __tablename__ = "confirmation_slot"

    address: str = Field(primary_key=True)
    last_at: datetime = Field(sa_type=Moment)
