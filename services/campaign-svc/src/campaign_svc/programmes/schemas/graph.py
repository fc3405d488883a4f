"""A programme as a graph: a trigger, and named steps that say which comes next. This is its published JSON Schema."""

from datetime import time
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from campaign_svc.actions.schemas import (
    CallListAction,
    CouponAction,
    MessageAction,
    ProgrammeAction,
    TagAction,
    TaskAction,
    WebhookAction,
)
from campaign_svc.programmes.schemas.conditions import Condition, Word
from kantis_kit.web.schemas import In, Instant

StepName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Text = Annotated[str, StringConstraints(max_length=500)]
Days = Annotated[int, Field(ge=0, le=3660)]
MAX_STEPS = 200
LAST_YEAR = 2200


class SegmentTrigger(In):
    """A run begins for whoever comes into a segment that announces its changes."""

    on: Literal["segment"]
    segment_id: UUID


class FormTrigger(In):
    """A run begins with a lead, of one form or of any."""

    on: Literal["form"]
    form_key: Annotated[str, StringConstraints(max_length=100)] = ""


class OrderTrigger(In):
    """A run begins with an order."""

    on: Literal["order"]
    when: Literal["placed", "shipped", "delivered", "paid", "cancelled"] = "placed"


class DateTrigger(In):
    """A run begins on a date of the person, or so many days before (negative) or after it."""

    on: Literal["date"]
    date: Word
    days: Annotated[int, Field(ge=-3660, le=3660)] = 0
    at: time = time(9)


class EventTrigger(In):
    """A run begins with an event that was told by its name."""

    on: Literal["event"]
    event: Word


class ManualTrigger(In):
    """Runs begin by hand, through the API, or by another programme."""

    on: Literal["hand"]


Trigger = Annotated[
    SegmentTrigger | FormTrigger | OrderTrigger | DateTrigger | EventTrigger | ManualTrigger,
    Field(discriminator="on"),
]


class Step(In):
    """What every step has."""

    note: Text = ""


class Speaking(Step):
    """A step that sends one message: by the first of its channels that can and may reach the person."""

    say: MessageAction


class Wait(Step):
    """Wait so long, then until a time of day and a weekday where the person lives."""

    kind: Literal["wait"]
    days: Days = 0
    hours: Annotated[int, Field(ge=0, le=24 * 60)] = 0
    at: time | None = None
    weekdays: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(max_length=7)] = []
    """ISO weekdays, Monday is 1; empty is any."""
    next: StepName

    @model_validator(mode="after")
    def check_length(self) -> Self:
        """Refuse to wait for nothing."""
        if not (self.days or self.hours or self.at or self.weekdays):
            message = "a wait needs days, hours, a time of day (at) or weekdays"
            raise ValueError(message)
        if self.at is not None and self.at.tzinfo is not None:
            message = "at is a time where the person lives; write it without an offset"
            raise ValueError(message)
        return self


class WaitUntil(Step):
    """Wait until a date of the person, or so many days before (negative) or after it."""

    kind: Literal["wait_until"]
    date: Word
    days: Annotated[int, Field(ge=-3660, le=3660)] = 0
    at: time = time(9)
    next: StepName
    unknown: StepName
    """Where those go of whom the date is not known."""
    passed: StepName | None = None
    """Where those go for whom it is over; `next` where it is not given."""


class WaitFor(Step):
    """Wait for an event of the person (with `same_key`: of the run's order or contract), at most so long."""

    kind: Literal["wait_for"]
    event: Word
    same_key: bool = False
    already: bool = False
    """An event that came in since the run began counts, too."""
    within_days: Annotated[int, Field(ge=1, le=3660)]
    next: StepName
    timed_out: StepName


class Case(In):
    """A way out of a branch."""

    when: Condition
    next: StepName


class Branch(Step):
    """Go where the first condition holds, else `otherwise`."""

    kind: Literal["branch"]
    cases: list[Case] = Field(min_length=1, max_length=20)
    otherwise: StepName


class Message(Speaking):
    """Send a message."""

    kind: Literal["message"]
    next: StepName


class Ask(Speaking):
    """Ask something, in a message, and go where the answer leads. A need that is said counts as its answer, too."""

    kind: Literal["ask"]
    about: Literal["survey", "need"] = "survey"
    question: Word
    answers: dict[Word, StepName] = Field(default_factory=dict, max_length=20)
    """Where these answers lead."""
    answered: StepName
    """Where any other answer leads."""
    within_days: Annotated[int, Field(ge=1, le=3660)]
    timed_out: StepName


class Match(Step):
    """Choose the first product that is for sale, answers a need that was said, and was not bought in this run."""

    kind: Literal["match"]
    products: dict[Word, Annotated[list[UUID], Field(min_length=1, max_length=50)]] = Field(
        min_length=1, max_length=50
    )
    """Products by need, the best first."""
    next: StepName
    nothing: StepName


class Offer(Speaking):
    """Offer a product: the one that is named, or the one that was matched."""

    kind: Literal["offer"]
    product_id: UUID | None = None
    next: StepName


class Accept(Step):
    """Wait for a yes (an order, or an acceptance that is told), or for an objection."""

    kind: Literal["accept"]
    within_days: Annotated[int, Field(ge=1, le=3660)]
    accepted: StepName
    objected: StepName
    timed_out: StepName


class Objection(Step):
    """Go where the reason of the latest objection leads."""

    kind: Literal["objection"]
    reasons: dict[Word, StepName] = Field(min_length=1, max_length=50)
    otherwise: StepName


class Content(Speaking):
    """Send something to read, hear or come to. For an event or a webinar there is a sign-up and a calendar file."""

    kind: Literal["content"]
    content: Literal["newsletter", "podcast", "magazine", "event", "webinar"]
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    link: Annotated[str, StringConstraints(max_length=500)] = ""
    begins_at: Instant | None = None
    minutes: Annotated[int, Field(ge=5, le=14 * 24 * 60)] = 60
    place: Annotated[str, StringConstraints(max_length=200)] = ""
    next: StepName

    @model_validator(mode="after")
    def check_moment(self) -> Self:
        """An event and a webinar begin at a moment."""
        if self.content in ("event", "webinar") and self.begins_at is None:
            message = f"begins_at: say when the {self.content} begins"
            raise ValueError(message)
        if self.begins_at is not None and self.begins_at.year > LAST_YEAR:
            message = f"begins_at: lies after the year {LAST_YEAR}"
            raise ValueError(message)
        return self


class Do(Step):
    """Give somebody in the company a task, put the person on a call list or a list, begin another programme, or the like."""

    kind: Literal["do"]
    action: Annotated[
        TaskAction | CallListAction | TagAction | ProgrammeAction | CouponAction | WebhookAction,
        Field(discriminator="kind"),
    ]
    next: StepName


class Goal(Step):
    """Say that the run has come to a goal; it goes on where `next` leads, or ends."""

    kind: Literal["goal"]
    goal: Word
    next: StepName | None = None


class Loop(Step):
    """Go back to a step, for ever or so many times."""

    kind: Literal["loop"]
    to: StepName
    at_most: Annotated[int, Field(ge=1, le=1_000)] | None = None
    next: StepName | None = None
    """Where it goes after the last time."""

    @model_validator(mode="after")
    def check_end(self) -> Self:
        """What is bounded goes on somewhere; what is endless does not."""
        if (self.at_most is None) != (self.next is None):
            message = "a loop with at_most needs next, where it goes after the last time; one without has none"
            raise ValueError(message)
        return self


class End(Step):
    """The run ends."""

    kind: Literal["end"]
    outcome: Word = "ended"


AnyStep = Annotated[
    Wait | WaitUntil | WaitFor | Branch | Message | Ask | Match | Offer | Accept | Objection | Content
    | Do | Goal | Loop | End,
    Field(discriminator="kind"),
]  # fmt: skip


class Graph(In):
    """A programme: what begins a run, where it starts, and its steps by name."""

    model_config = ConfigDict(title="Kantis programme")

    trigger: Trigger
    key: Literal["person", "order", "contract"] = "person"
    """What a person has one run of at a time: one at all, or one per order or contract (the key of the trigger)."""
    again_after_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    """When somebody may begin anew with the same key, counted from the last beginning; empty is never."""
    start: StepName
    steps: dict[StepName, AnyStep] = Field(min_length=1, max_length=MAX_STEPS)
