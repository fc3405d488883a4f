"""Tables of forms, leads and confirmations."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint
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
    fields: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    topics: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    boxes: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    list_id: UUID | None = None
    download: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    proof_of_work_bits: int = 0
    posts_per_hour: int | None = None
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class FormVersion(Base, table=True):
    """A form as it was: what a lead of that time has seen."""

    __tablename__ = "form_version"

    form_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    body: dict[str, Any] = Field(sa_type=JSONB)
    actor: str
    at: datetime = Field(sa_type=Moment)


class ConsentText(Base, table=True):
    """The words of a consent in one language and version; kept for ever, because they prove what was said yes to."""

    __tablename__ = "consent_text"

    form_id: UUID = Field(primary_key=True)
    box: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    words: str


class FormTrap(Base, table=True):
    """How many machines a form has caught, per day."""

    __tablename__ = "form_trap"

    form_id: UUID = Field(primary_key=True)
    on_day: date = Field(primary_key=True)
    caught: int


PHONE = "phone"
OTHER_PHONE = "other_phone"
"""Of a lead's fields: a phone that was posted later than the first and differs from it; neither is taken for theirs then."""


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
    answers: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    topics: list[str] = Field(default_factory=list, sa_type=JSONB)
    boxes: dict[str, str] = Field(default_factory=dict, sa_type=JSONB)
    visitor_id: UUID | None = None
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
    boxes: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    requested_at: datetime = Field(sa_type=Moment, index=True)
    expires_at: datetime = Field(sa_type=Moment)
    confirmed_at: datetime | None = Field(default=None, sa_type=Moment)


class ConfirmationSlot(Base, table=True):
    """When a mailbox was last asked: at most once in 24 hours, whatever form and spelling of the address."""

    __tablename__ = "confirmation_slot"

    address: str = Field(primary_key=True)
    last_at: datetime = Field(sa_type=Moment)


class AskedMailbox(Base, table=True):
    """How often a mailbox was asked without an answer; known by a keyed hash, and not forgotten."""

    __tablename__ = "asked_mailbox"

    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    unanswered: int
    last_at: datetime = Field(sa_type=Moment)


class LeadAnswer(Base, table=True):
    """An answer to a question of a form that says something about the person, by a word of the company's vocabulary."""

    __tablename__ = "lead_answer"

    lead_id: UUID = Field(primary_key=True)
    question: str = Field(primary_key=True)
    answer: str = Field(primary_key=True)
    person_id: UUID = Field(index=True)
    term: str
    said_at: datetime = Field(sa_type=Moment)
    is_confirmed: bool


class DownloadAsset(Base, table=True):
    """A file that a form gives away; older ones stay while links to them live."""

    __tablename__ = "download_asset"

    id: UUID = Field(primary_key=True)
    form_id: UUID = Field(index=True)
    file_name: str
    content_type: str
    content: bytes = Field(sa_type=LargeBinary)
    made_at: datetime = Field(sa_type=Moment)


class ProofOfWork(Base, table=True):
    """A challenge that has been answered; it is worth one post."""

    __tablename__ = "proof_of_work"

    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    used_at: datetime = Field(sa_type=Moment)


class IntakeWindow(Base, table=True):
    """How much was counted under a name since a moment, in several rows so that nobody waits for one."""

    __tablename__ = "intake_window"

    name: str = Field(primary_key=True)
    starts_at: datetime = Field(sa_type=Moment, primary_key=True)
    shard: int = Field(primary_key=True)
    counted: int
