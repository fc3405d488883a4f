"""What the API takes and shows of calls."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Instant, Out
from messaging_svc.phone.vocabulary import Effect

Caller = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Term = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=120)]
DEFAULT_LEASE_MINUTES = 30


class TakeIn(In):
    """Who takes a call, and from which list."""

    caller: Caller = Field(description="Name of the person who calls", examples=["Anne"])
    campaign_id: UUID | None = Field(default=None, description="Left out: from every list")
    language: Language | None = Field(default=None, description="People of this language alone")
    lease_minutes: int = Field(
        default=DEFAULT_LEASE_MINUTES, ge=1, le=480, description="So long nobody else gets the call"
    )


class LearnedIn(In):
    """A need, an objection or a buying motive, by its key in the vocabulary of insights."""

    term: Term
    strength: int = Field(default=3, ge=1, le=5, description="1 mentioned it, 5 decides by it")
    note: str = Field(default="", max_length=1_000)


class OutcomeIn(In):
    """How a call ended."""

    outcome: Code = Field(description="A word of GET /v1/calls/outcomes", examples=["reached_yes"])
    note: str = Field(default="", max_length=4_000)
    learned: list[LearnedIn] = Field(
        default=[], max_length=50, description="Needs, objections and buying motives"
    )
    follow_up: str = Field(
        default="", max_length=1_000, description="What somebody is to do after the call"
    )
    call_back_at: datetime | None = Field(
        default=None,
        description="When to call back: date and time where the person is, or with an offset",
        examples=["2026-11-25T14:30"],
    )


class ReleaseIn(In):
    """Give a call back without having called."""

    wait_minutes: int = Field(
        default=0, ge=0, le=10_080, description="So long nobody else gets it, either"
    )


class KnownOut(Out):
    """Something that was learned about the person before."""

    term: str
    kind: str
    words: dict[str, str]
    strength: int
    said_at: datetime
    until: datetime | None


class RoleOut(Out):
    """What the person is in an organisation; the first is the one in which they are called."""

    organisation: str = Field(validation_alias="organisation_name")
    role: str
    relevance: int


class EarlierOut(Out):
    """An earlier call."""

    outcome: str
    note: str
    caller: str
    ended_at: datetime


class AnswerOut(Out):
    """Something that the person has written to us."""

    channel: str
    kind: str
    text: str = Field(validation_alias="body")
    received_at: datetime


class CallOut(Out):
    """A call that somebody has taken, with all that they need to know."""

    id: UUID
    message_id: UUID
    position: int = Field(exclude=True)
    state: str
    caller: str
    attempt: int
    taken_at: datetime
    held_until: datetime
    phone: str
    person_id: UUID | None
    preferred_name: str
    language: str
    local_time: datetime | None = Field(description="What time it is where the person is")
    hours: str = Field(
        description="When people may be called there: weekdays, 1 is Monday, and times"
    )
    campaign_id: UUID | None
    campaign_name: str
    response_code: str
    script: str = Field(
        description="What to say; empty when the template holds no words for a call"
    )
    script_language: str
    problem: str = Field(default="", description="Why there is no script")
    offer: dict[str, object] | None
    because: list[str]
    needs: list[KnownOut] = Field(description="Needs, objections, buying motives and barriers")
    roles: list[RoleOut]
    earlier: list[EarlierOut]
    answers: list[AnswerOut]
    outcome: str = ""
    call_back_at: datetime | None = None


class TakenOut(Out):
    """The call that was taken; without one, when the next falls due."""

    call: CallOut | None
    next_at: datetime | None = None


class RecordedOut(Out):
    """What became of a call, and when the person is called again, if they are."""

    call_id: UUID
    outcome: str
    effect: Effect
    is_new: bool
    state: str = Field(description="Of the message: planned means that somebody calls again")
    next_at: datetime | None


class ListOut(Out):
    """The calls of a campaign."""

    campaign_id: UUID
    campaign_name: str
    people: int
    ready: int = Field(description="Can be called now")
    later: int = Field(description="Wait for their next attempt or for the time they named")
    waiting: int = Field(description="Wait for hours, news or somebody more relevant")
    taken: int
    reached: int
    not_reached: int
    spared: int = Field(description="Are not called: the reasons say why")
    expired: int
    next_at: datetime | None


class ReasonOut(Out):
    """How many of a list are where they are, and by which rule or outcome."""

    state: str
    reason: str
    people: int


class ListWithReasons(ListOut):
    """The calls of a campaign, with the reasons."""

    reasons: list[ReasonOut]


class WordIn(In):
    """A word of the company's own for how calls end."""

    effect: Effect
    words: dict[Language, Word] = Field(min_length=1)
    wait_minutes: int = Field(
        default=0, ge=0, le=43_200, description="Before somebody tries again (effect again)"
    )


class WordOut(Out):
    """A word for how calls end."""

    code: str
    effect: Effect
    words: dict[str, str]
    wait_minutes: int
    is_own: bool


class BatchIn(In):
    """A list of calls for somebody who calls elsewhere."""

    call_centre: Caller = Field(examples=["Ring & Co"])
    campaign_id: UUID | None = None
    language: Language | None = None
    calls: int = Field(default=1_000, ge=1, le=10_000, description="The most on the list")
    due_back_at: Instant | None = Field(
        default=None, description="What has no outcome by then is called by others; in 14 days"
    )


class BatchOut(Out):
    """A list of calls that is elsewhere."""

    id: UUID
    call_centre: str
    campaign_id: UUID | None
    calls: int
    ended: int
    open: int
    created_by: str
    created_at: datetime
    due_back_at: datetime
    recalled_at: datetime | None


class RejectOut(Out):
    """A row of a file that was not taken, and why."""

    row: int
    call_id: str
    message: str


class FileOut(Out):
    """What became of a file of outcomes."""

    id: UUID
    batch_id: UUID
    rows: int
    taken: int
    already: int
    rejected: list[RejectOut]
    is_repeat: bool = Field(description="The same file came before; nothing was done again")
    sent_at: datetime
