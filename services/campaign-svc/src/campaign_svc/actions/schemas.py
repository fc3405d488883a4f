"""What can be done about people, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from campaign_svc.campaigns.schemas.words import ListId, Minor, Priority, TopicKey
from kantis_contracts.values import Channel, Currency, MessageClass, Purpose
from kantis_kit.web.schemas import In, Out

Said = Literal[
    MessageClass.MARKETING, MessageClass.NEWSLETTER, MessageClass.CART_REMINDER, MessageClass.WIN_BACK,
    MessageClass.SERVICE, MessageClass.TRANSACTIONAL,
]  # fmt: skip
NOTICES = frozenset({MessageClass.SERVICE, MessageClass.TRANSACTIONAL})
"""Classes that need no permission: they tell what must be told, and may not sell."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Way(In):
    """A channel, the template with which it is written, and what a message costs."""

    channel: Channel
    template_id: UUID
    cost_minor: Minor = 0


class _Message(In):
    """What every message needs."""

    purpose: Purpose = Purpose.OFFERS
    message_class: Said = Field(
        default=MessageClass.MARKETING,
        description=(
            "`service` (of the relation itself: changed terms, a warning about goods) and `transactional` (what the"
            " person has ordered or asked for) need no permission and may not sell; a service keeps the hours in which"
            " messages may begin"
        ),
    )
    class_reason: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="Of a class that needs no permission: why it has to be told"
    )
    topic: TopicKey = ""
    list_id: ListId = None
    priority: Priority = 50
    currency: Currency = "NOK"
    valid_minutes: int | None = Field(
        default=None,
        ge=1,
        le=60 * 24 * 366,
        description="What has not left by then does not leave",
    )

    @model_validator(mode="after")
    def give_reason(self) -> Self:
        """Whoever writes without a permission says why."""
        if self.message_class in NOTICES and not self.class_reason.strip():
            message = (
                f"class_reason: a {self.message_class.value} message needs no permission; say in a sentence why it has"
                " to be told, or make it a marketing one"
            )
            raise ValueError(message)
        return self


class MessageAction(_Message):
    """Write to the person: by the first channel, or by the next where that one cannot or may not reach them."""

    kind: Literal["message"] = "message"
    ways: list[Way] = Field(min_length=1, max_length=5)

    @model_validator(mode="after")
    def name_each_once(self) -> Self:
        """Refuse a channel that stands twice."""
        if len({way.channel for way in self.ways}) < len(self.ways):
            message = "ways: a channel stands there twice; name each once, the first choice first"
            raise ValueError(message)
        return self


class CallListAction(_Message):
    """Have the person called: they come on the list of whoever calls, with the template as the script."""

    kind: Literal["call_list"] = "call_list"
    template_id: UUID


class TaskAction(In):
    """Have somebody of ours do something about the person."""

    kind: Literal["task"] = "task"
    title: Line
    team: Word | None = None
    due_hours: int | None = Field(default=None, ge=1, le=24 * 366)


class TagAction(In):
    """Put the person on a list (a segment of kind `list`), so that every condition can ask for it."""

    kind: Literal["tag"] = "tag"
    list_segment_id: UUID


class ProgrammeAction(In):
    """Start a programme for the person."""

    kind: Literal["programme"] = "programme"
    programme_id: UUID


class CouponAction(In):
    """Give the person a coupon of a series; whoever has one of it keeps that one."""

    kind: Literal["coupon"] = "coupon"
    series_id: UUID


class WebhookAction(In):
    """Tell another system of the person, with the reasons and facts."""

    kind: Literal["webhook"] = "webhook"
    webhook_id: UUID


Action = Annotated[
    MessageAction
    | CallListAction
    | TaskAction
    | TagAction
    | ProgrammeAction
    | CouponAction
    | WebhookAction,
    Field(discriminator="kind"),
]
ACTION: TypeAdapter[Action] = TypeAdapter(Action)


def class_of(action: Action) -> MessageClass:
    """Return the class of what an action says; what says nothing sells nothing, and is advertising like most."""
    if isinstance(action, MessageAction | CallListAction):
        return action.message_class
    return MessageClass.MARKETING


def why_not_class(action: Action, allowed: frozenset[MessageClass], where: str) -> str:
    """Return why a message of this class may not be said there, and how to mend it; nothing where it may."""
    said = class_of(action)
    if said not in NOTICES or said in allowed:
        return ""
    may = " or ".join(sorted(one.value for one in allowed)) or "advertising alone"
    return (
        f"message_class: {where} is no reason for a {said.value} message; it allows {may}. Make it a marketing message,"
        " which goes to whom permission allows"
    )


class AskerKind(StrEnum):
    """What acts."""

    RULE = "rule"
    PROGRAMME = "programme"
    MILESTONE = "milestone"
    COUPON = "coupon"
    CARE = "care"
    CLUB = "club"


class StepState(StrEnum):
    """What became of a step; `requested` is on its way, `open` waits for one of our own people."""

    REQUESTED = "requested"
    OPEN = "open"
    DONE = "done"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"


class StepOut(Out):
    """One thing that was done about one person, and why."""

    id: UUID
    asker_kind: AskerKind
    asker_id: UUID
    asker_name: str
    asker_version: int
    step: str
    person_id: UUID
    kind: str
    action: dict[str, Any] = Field(description="As it was then")
    because: list[str] = Field(description="The clauses that were true")
    facts: dict[str, str] = Field(description="What was known then")
    channel: str = Field(description="Of a message: the one that is tried now, or was last")
    missed: dict[str, str] = Field(
        description="The channels that were tried before, each with its reason"
    )
    state: StepState
    reason: str
    at: datetime
    due_at: datetime | None
    settled_at: datetime | None
    settled_by: str = Field(description="Of a task: who has done it")


class TaskDoneIn(In):
    """What became of a task."""

    note: Annotated[str, StringConstraints(max_length=500)] = ""
