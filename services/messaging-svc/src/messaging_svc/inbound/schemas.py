"""What the API takes and shows of messages that came in."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Out

Action = Literal["help", "vote", "order", "inquiry"]


class InboundOut(Out):
    """A message that came in; an open one waits for a person, in its conversation."""

    id: UUID
    channel: str
    from_phone: str
    to_number: str
    body: str
    person_id: UUID | None
    kind: str
    language: str
    keyword: str
    option: str
    is_open: bool
    note: str
    conversation_id: UUID | None
    received_at: datetime


class KeywordIn(In):
    """A word with which a message begins, and what it does. A vote names its poll and its option."""

    word: str = Field(min_length=1, max_length=40, examples=["LAMPE"])
    action: Action
    poll: str = Field(default="", max_length=60, examples=["best-lamp"])
    option: str = Field(default="", max_length=60, examples=["A"])
    answer: dict[Language, str] = Field(
        default_factory=dict, description="What is answered; without it, the usual words"
    )


class KeywordOut(Out):
    """A keyword; `word` as it is compared."""

    id: UUID
    word: str
    action: Action
    poll: str
    option: str
    answer: dict[Language, str]
    created_at: datetime


class PollOut(Out):
    """The votes of a poll: one a person, the last one counts."""

    poll: str
    votes: int
    options: dict[str, int]
