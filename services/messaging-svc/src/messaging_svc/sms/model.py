"""Short links, delivery reports, and a text message on its way."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Integer, Table, Text

from messaging_svc.base import Moment, Uid, metadata

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_SENDER = re.compile(r"[A-Za-z0-9 &._-]{1,11}")

short_link = Table(
    "short_link",
    metadata,
    Column("token", Text, primary_key=True),
    Column("message_id", Uid, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
)

sms_report = Table(
    "sms_report",
    metadata,
    Column("message_id", Uid, primary_key=True),
    Column("person_id", Uid),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("reported_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text message, ready for a provider. `key` is our id of it, which comes back with its reports."""

    key: UUID
    to: str
    sender: str
    text: str
    report_url: str
    """Where the provider reports; empty when it cannot."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider says of a message: `sent`, `delivered` or `failed`."""

    message_id: UUID
    state: str
    occurred_at: datetime
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A text message that came in."""

    provider_id: str
    sender: str
    to: str
    text: str
    received_at: datetime


def number_of(text: str) -> str | None:
    """Return a number in E.164, or None for what is none; providers leave out the plus, or write two zeros."""
    digits = re.sub(r"[\s().-]", "", text)
    digits = digits.removeprefix("00")
    given = digits if digits.startswith("+") else f"+{digits}"
    return given if _NUMBER.fullmatch(given) else None


def is_sender(text: str) -> bool:
    """Say whether a text message can be from this: letters, or a number."""
    return bool(_SHORT_SENDER.fullmatch(text) or re.fullmatch(r"\+?[0-9]{3,15}", text))
