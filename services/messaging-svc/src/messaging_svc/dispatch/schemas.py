"""What the API shows of messages."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from kantis_kit.web.schemas import In, Out


class MessageOut(Out):
    """A message as a line of a list."""

    id: UUID
    origin: str
    state: str
    channel: str
    is_marketing: bool
    person_id: UUID | None
    merged_id: UUID | None = Field(
        description="The id it was planned for, when that was merged into person_id"
    )
    campaign_id: UUID | None
    cell_id: UUID | None
    key_code: str | None
    piece_id: UUID | None
    response_code: str
    rule: str
    reason: str
    attempts: int
    priority: int = Field(
        description="Of its campaign: the higher one is told where a cap lets only one be"
    )
    cost_minor: int = Field(description="What it costs, in the currency of its campaign")
    message_id: str = Field(description="Message-ID header of the mail, the same for every attempt")
    planned_at: datetime
    due_at: datetime | None = Field(description="When it is decided on next, while it waits")
    handed_over_at: datetime | None
    settled_at: datetime | None


class SegmentWhy(Out):
    """Why the person was in the audience."""

    segment_id: UUID
    name: str
    because: list[str]


class CampaignWhy(Out):
    """What the message belongs to."""

    campaign_id: UUID
    name: str
    launch_id: UUID
    cell_id: UUID
    cell_name: str
    key_code: str
    offer: dict[str, Any] | None
    cost_per_piece_minor: int
    currency: str


class StepWhy(Out):
    """The rule, milestone or programme that wanted the message, and what it rested on then."""

    kind: str = Field(description="rule, programme, milestone, coupon or care")
    id: UUID
    name: str
    version: int
    step: str
    message_class: str
    class_reason: str = Field(
        description="Of a message that needs no permission: why it has to be told"
    )
    because: list[str] = Field(description="The clauses that had become true")
    facts: dict[str, str] = Field(description="What was known when they did")


class PermissionWhy(Out):
    """The permission as it was when the gate decided."""

    ledger_id: UUID
    state: str
    version: int
    legal_basis: str
    occurred_at: datetime


class DecisionWhy(Out):
    """A no of the gate, or a not yet."""

    rule: str
    sentence: str
    at: datetime
    until: datetime | None = Field(default=None, description="When it was to be asked again")
    facts: dict[str, Any] | None = Field(
        default=None, description="The cap, and which messages filled it"
    )


class CapWhy(Out):
    """A cap over the messages that one person gets, and how full it was before this one."""

    whose: str = Field(description="company, or person: their wished frequency")
    channel: str = Field(description="Empty: every channel together")
    max_messages: int
    window_seconds: int
    filled_by: list[UUID]


class GateWhy(Out):
    """What the gate decided, and by which rule."""

    verdict: str
    rule: str
    sentence: str
    decisions: list[DecisionWhy] = Field(description="Every no and not yet, in order")
    caps: list[CapWhy] = Field(
        description="The caps of now, with what had come before this message"
    )


class TemplateWhy(Out):
    """The exact text that was used."""

    template_id: UUID
    version_id: UUID
    number: int
    name: str


class TimesWhy(Out):
    """When what happened."""

    planned_at: datetime
    claimed_at: datetime | None
    handed_over_at: datetime | None
    settled_at: datetime | None
    not_after: datetime | None
    next_attempt_at: datetime | None


class Why(Out):
    """Why this person got, or did not get, this message: the whole chain."""

    message: MessageOut
    campaign: CampaignWhy | None
    segment: SegmentWhy | None
    step: StepWhy | None
    permission: PermissionWhy | None
    gate: GateWhy
    template: TemplateWhy | None
    builtin: str
    times: TimesWhy


class HoldWhy(Out):
    """Why nothing more of a launch is handed over."""

    state: str
    reason: str
    since: datetime
    spike: dict[str, Any] | None = Field(description="What it has paused itself for")


class LaunchOut(Out):
    """A launch as its recipients: how many stand where."""

    launch_id: UUID
    campaign_id: UUID
    campaign_name: str
    recipients: int
    states: dict[str, int] = Field(description="Every state; their sum is the number of recipients")
    rules: dict[str, dict[str, int]] = Field(
        description="By state: which rules of the gate, how often"
    )
    is_finished: bool = Field(description="Every recipient that came here has reached an end")
    hold: HoldWhy | None


Reason = Annotated[str, StringConstraints(min_length=3, max_length=500)]


class ResolveIn(In):
    """What a person found out about a message in doubt, and how."""

    outcome: Literal["sent", "failed", "not_sent"]
    reason: Reason


class ResolveManyIn(In):
    """What a person found out about many messages in doubt, or about all of a launch."""

    message_ids: list[UUID] = Field(default=[], max_length=1_000)
    launch_id: UUID | None = None
    outcome: Literal["sent", "failed", "not_sent"]
    reason: Reason

    @model_validator(mode="after")
    def name_one(self) -> Self:
        """Refuse to guess what is meant."""
        if bool(self.message_ids) == (self.launch_id is not None):
            message = "message_ids, launch_id: give one of them"
            raise ValueError(message)
        return self


class ResolvedOut(Out):
    """How many were resolved, and which were not in doubt."""

    resolved: int
    not_in_doubt: list[UUID]


class SettledOut(Out):
    """What a log has settled."""

    lines: int
    sent: int
    failed: int
    not_sent: int
    left: int = Field(description="Messages that are in doubt still")
