"""What the API takes and shows of text messages."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Out


class CountIn(In):
    """A text whose size is asked for."""

    text: str = Field(min_length=1, max_length=5_000)
    to: str = Field(default="", max_length=16, description="A number, or its beginning: +47")
    recipients: int = Field(default=1, ge=1, le=10_000_000)


class ForcingOut(Out):
    """A sign that makes the message dear, and the plain one that says the same, if there is one."""

    character: str
    count: int
    instead: str | None


class CountOut(Out):
    """The size of a text message, and what it costs."""

    encoding: Literal["gsm7", "ucs2"]
    characters: int
    units: int
    segments: int
    room: int
    forcing: list[ForcingOut]
    plain_segments: int = Field(description="Parts, if the plain signs were used instead")
    cost_minor: int
    currency: str


class SmsTemplateIn(In):
    """A text message by language."""

    name: str = Field(min_length=1, max_length=200)
    languages: dict[Language, str] = Field(
        min_length=1, examples=[{"nb": "{{ greeting() }}! {{ offer_name }}: {{ response_url }}"}]
    )


class SmsTemplateOut(Out):
    """A text template that was saved: the size of its texts, for an imagined reader with short links."""

    id: UUID
    version: int
    languages: dict[Language, CountOut]


class SmsReportOut(Out):
    """What the provider has said of a message since it took it."""

    message_id: UUID
    state: str
    code: str
    reason: str
    occurred_at: datetime
