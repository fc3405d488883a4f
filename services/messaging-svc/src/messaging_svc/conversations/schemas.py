"""What the API takes and shows of conversations."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Instant, Out

Clock = Literal["running", "warning", "overdue", "stopped"]
"""How near the end of the second working day is; stopped when no answer is due."""
WayName = Literal["email", "sms", "chat", "call"]
Next = Literal["answered", "waiting", "closed"]
PHONE = r"^\+?[0-9][0-9 ().-]{5,24}$"
EMAIL = r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$"


class ConversationOut(Out):
    """A conversation; `version` is what an answer names in If-Match, so that no two people answer at once."""

    id: UUID
    person_id: UUID | None
    name: str
    email: str
    phone: str
    channel: WayName
    subject: str
    topic: str
    language: Language
    country: str
    answers_id: UUID | None = Field(description="The message of ours that it answers")
    campaign_id: UUID | None
    campaign_name: str
    state: Literal["open", "waiting", "answered", "closed"]
    assignee: str
    assigned_until: datetime | None
    due_at: datetime
    warn_at: datetime
    clock: Clock
    breaches: int = Field(description="How often an answer came after its second working day")
    wished_at: datetime | None
    zone: str
    close_reason: str
    closed_by: str
    closed_at: datetime | None
    merged_into: UUID | None
    messages: int
    version: int
    created_at: datetime
    last_at: datetime


class FileOut(Out):
    """An attachment that was kept."""

    id: UUID
    name: str
    kind: str
    size_bytes: int


class RefusedOut(Out):
    """An attachment that was not kept, and why."""

    name: str
    kind: str
    size_bytes: int
    reason: str


class MessageOut(Out):
    """A message of a conversation, or a note of our own people."""

    id: UUID
    number: int
    direction: Literal["in", "out", "note"]
    channel: WayName
    author: str
    address: str
    subject: str
    body: str
    files: list[FileOut] = Field(default_factory=list)
    refused: list[RefusedOut]
    written_at: datetime
    state: str | None = Field(
        default=None, description="Of an answer by mail or SMS: its state in the ledger"
    )


class FiguresOut(Out):
    """How the inbox stands; what is overdue counts as a breach already."""

    open: int
    unassigned: int
    warning: int
    overdue: int
    waiting: int
    breaches: int
    by_channel: dict[str, int]


class AnswerIn(In):
    """An answer of a person; without a channel, in the one in which they wrote last."""

    text: str = Field(min_length=1, max_length=20_000, examples=["Ja, vi har den i blått også."])
    channel: WayName | None = Field(
        default=None, description="`call`: what was said on the telephone"
    )
    subject: str = Field(
        default="", max_length=200, description="Of a mail; empty: the one that is answered"
    )
    then: Next = "answered"
    agent: str = Field(default="", max_length=100, description="Who answers; empty: the caller")


class NoteIn(In):
    """A word among our own people."""

    text: str = Field(min_length=1, max_length=20_000)
    agent: str = Field(default="", max_length=100)


class AgentIn(In):
    """Who acts; empty: the caller."""

    agent: str = Field(default="", max_length=100)


class AssignIn(In):
    """Whose conversation it is from now on."""

    assignee: str = Field(min_length=1, max_length=100, examples=["ingrid"])


class CloseIn(In):
    """Why nothing more is to be done."""

    reason: str = Field(min_length=1, max_length=200, examples=["no answer wanted"])


class ChangeIn(In):
    """What is known better by now; what is left out stays."""

    topic: str | None = Field(default=None, max_length=60, examples=["delivery"])
    language: Language | None = None
    person_id: UUID | None = Field(default=None, description="Whose conversation it is")


class MergeIn(In):
    """The conversation that goes on in this one."""

    other_id: UUID


class DraftIn(In):
    """Which template is filled in for the person."""

    template_id: UUID
    language: Language | None = Field(default=None, description="Empty: the conversation's own")


class DraftOut(Out):
    """A text to begin with; nothing is sent."""

    text: str
    language: Language


class TemplateIn(In):
    """An answer that is given often; fields: greeting, preferred_name, company, agent."""

    name: str = Field(min_length=1, max_length=100, examples=["delivery-time"])
    languages: dict[Language, str] = Field(
        min_length=1,
        examples=[{"nb": "{{ greeting }},\n\nVi sender innen to dager.\n\nHilsen {{ agent }}"}],
    )


class TemplateOut(Out):
    """A template of an answer."""

    id: UUID
    name: str
    languages: dict[Language, str]
    created_at: datetime
    changed_at: datetime


class CallIn(In):
    """Somebody wants to be called back."""

    phone: str = Field(pattern=PHONE, examples=["+47 412 34 567"])
    name: str = Field(default="", max_length=200)
    wished_at: Instant | None = Field(
        default=None, description="When they want to be called; empty: soon"
    )
    language: Language | None = None
    about: str = Field(default="", max_length=2_000)
    person_id: UUID | None = None


class TakenMail(Out):
    """What became of a mail: `conversation`, or why it is none."""

    outcome: Literal["conversation", "known", "automatic", "own", "too_many", "unreadable"]
    conversation_id: UUID | None = None
    message_id: UUID | None = None
    refused: list[RefusedOut] = Field(default_factory=list)


class ChatIn(In):
    """How a visitor begins; where nobody is at the desk, an address or a number tells how we answer."""

    text: str = Field(min_length=1, max_length=2_000)
    name: str = Field(default="", max_length=200)
    email: str = Field(default="", max_length=254, pattern=EMAIL)
    phone: str = Field(default="", max_length=32)
    language: Language | None = None
    who: str = Field(default="", max_length=200, description="From a signed link: who it is")
    website: str = Field(
        default="", max_length=200, description="Not shown to people; machines fill it in"
    )


class LineIn(In):
    """What a visitor writes next."""

    text: str = Field(min_length=1, max_length=2_000)


class CallFormIn(In):
    """The form on which a visitor asks to be called back; the time is local to `zone`."""

    phone: str = Field(pattern=PHONE)
    name: str = Field(default="", max_length=200)
    day: str = Field(default="", max_length=10, pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")
    time: str = Field(default="", max_length=5, pattern=r"^([0-9]{2}:[0-9]{2})?$")
    zone: str = Field(default="", max_length=60)
    about: str = Field(default="", max_length=2_000)
    language: Language | None = None
    who: str = Field(default="", max_length=200)
    website: str = Field(default="", max_length=200)


class ChatOut(Out):
    """A chat that has begun; `token` is the visitor's key to it."""

    token: str
    page: str
    stream: str
    is_staffed: bool = Field(description="Whether somebody sits at the desk now")
    channel: WayName = Field(description="How the answer comes")


class LineOut(Out):
    """A line of a chat as its visitor sees it."""

    number: int
    is_ours: bool
    text: str
    written_at: datetime
