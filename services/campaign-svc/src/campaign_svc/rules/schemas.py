"""Rules as they are told and shown: when they act, on what, how often; and what became of it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, StringConstraints, model_validator

from campaign_svc.actions.schemas import Action, StepOut, why_not_class
from campaign_svc.campaigns.schemas.words import Name, Priority
from kantis_contracts.values import MessageClass
from kantis_kit.web.schemas import In, Instant, Out

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]+$", min_length=1, max_length=60)]
Condition = Annotated[
    dict[str, Any],
    Field(description="In the language of the segments, where it is checked and kept"),
]
EXAMPLE: dict[str, JsonValue] = {
    "name": "Complaints and open orders",
    "on": {
        "type": "segment",
        "condition": {
            "op": "all",
            "of": [
                {"op": "interactions", "kinds": ["complaint"], "channels": ["phone"], "value": 4},
                {"op": "visits", "compare": "at_most", "value": 4},
                {"op": "orders", "measure": "total_minor", "currency": "NOK", "state": "open", "value": 500_001},
            ],
        },
    },
    "action": {
        "kind": "message",
        "ways": [{"channel": "letter", "template_id": "00000000-0000-7000-8000-000000000001"}],
    },
    "re_entry": "every_entry",
    "cool_down_hours": 720,
}  # fmt: skip


class SegmentTrigger(In):
    """A condition becomes true of a person: one of the rule's own, or that of a segment."""

    type: Literal["segment"] = "segment"
    condition: Condition | None = None
    segment_id: UUID | None = None
    includes_present: bool = Field(
        default=False, description="Of whom it is true already when the rule begins, it acts too"
    )

    @model_validator(mode="after")
    def name_one(self) -> Self:
        """Refuse to guess what is meant."""
        if (self.condition is None) == (self.segment_id is None):
            message = "condition, segment_id: give one of them"
            raise ValueError(message)
        if self.includes_present and self.condition is None:
            message = (
                "includes_present: a segment that is there tells only who comes from now on; give"
                " the rule a condition of its own ({'op': 'segment', 'segment_id': …})"
            )
            raise ValueError(message)
        return self


class ContextTrigger(In):
    """Something is told of a person's situation now, such as a place; with a condition, for those of whom it is true."""

    type: Literal["context"] = "context"
    kind: Key = "place"
    places: list[Key] = Field(default=[], max_length=200, description="Empty: any")
    within_minutes: int = Field(
        default=30, ge=1, le=1_440, description="What is told later than this does not count"
    )
    condition: Condition | None = None


class CompanyTrigger(In):
    """Something is told of an organisation, such as its quarterly result: for those who have a role there."""

    type: Literal["company"] = "company"
    kind: Key
    roles: list[Annotated[str, StringConstraints(max_length=100)]] = Field(
        default=[], max_length=50, description="Empty: any"
    )


Trigger = Annotated[SegmentTrigger | ContextTrigger | CompanyTrigger, Field(discriminator="type")]


CLASSES: Mapping[str, frozenset[MessageClass]] = {
    "segment": frozenset({MessageClass.SERVICE}),
    "context": frozenset(),
    "company": frozenset(),
}
"""What a trigger may have told without permission. That something is true of people is no contract with them; where they
are, and how their employer fares, is no reason at all."""


class ReEntry(StrEnum):
    """Whether it acts again about somebody of whom it becomes true again."""

    ONCE = "once"
    ONCE_A_YEAR = "once_a_year"
    EVERY_ENTRY = "every_entry"


class RuleIn(In):
    """A business rule: when it becomes true of a person, something is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Name
    on: Trigger
    action: Action
    re_entry: ReEntry = ReEntry.ONCE
    cool_down_hours: int = Field(
        default=0, ge=0, le=24 * 3660, description="So long it does nothing more about a person"
    )
    priority: Priority = 50
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    is_paused: bool = Field(default=False, description="To be rehearsed before it begins")

    @model_validator(mode="after")
    def check_class(self) -> Self:
        """Refuse to tell without permission what the trigger is no reason for."""
        message = why_not_class(self.action, CLASSES[self.on.type], f"a {self.on.type} trigger")
        if message:
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def check_span(self) -> Self:
        """Refuse a time that ends before it begins."""
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            message = "valid_to: lies before valid_from; the rule would never act"
            raise ValueError(message)
        return self


class RuleState(StrEnum):
    """Where a rule stands; `checking` until the register has judged its condition."""

    CHECKING = "checking"
    ACTIVE = "active"
    PAUSED = "paused"
    REFUSED = "refused"
    ENDED = "ended"


class RuleOut(Out):
    """A rule."""

    id: UUID
    version: int
    name: str
    state: RuleState
    problem: str = Field(description="Why it was refused, and how to mend it")
    trigger: dict[str, Any]
    segment_id: UUID | None = Field(description="Where the register keeps of whom it is true")
    in_words: str
    action: dict[str, Any]
    re_entry: ReEntry
    cool_down_hours: int
    priority: int
    valid_from: datetime | None
    valid_to: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class Decision(StrEnum):
    """What was decided when it became true of a person."""

    FIRED = "fired"
    NOT_AGAIN = "not_again"
    COOLING_DOWN = "cooling_down"
    NOT_VALID = "not_valid"
    PAUSED = "paused"
    LIMITED = "limited"
    TOO_LATE = "too_late"
    NOT_TRUE = "not_true"


class EntryOut(Out):
    """One time at which it became true of a person, with the facts of then, and what was decided."""

    id: UUID
    rule_id: UUID
    rule_version: int
    person_id: UUID
    at: datetime
    decided_at: datetime
    decision: Decision
    sentence: str
    clauses: list[dict[str, Any]] = Field(description="Each clause, whether it held, and its facts")
    step_id: UUID | None


class ExplanationOut(Out):
    """Why a rule did something about a person, or did not."""

    rule_id: UUID
    person_id: UUID
    sentence: str
    entries: list[EntryOut] = Field(description="The newest first")
    steps: list[StepOut] = Field(description="What was done, and what became of it")


class RehearsalIn(In):
    """How far back is looked."""

    days: int = Field(default=30, ge=1, le=92)


class RehearsalState(StrEnum):
    """How far the register has come."""

    COUNTING = "counting"
    DONE = "done"
    REFUSED = "refused"


class WouldFire(Out):
    """Somebody about whom the rule would have acted, on the day that ends at this moment."""

    person_id: UUID
    at: datetime


class RehearsalOut(Out):
    """What the rule would have done. Its condition is looked at once for each day."""

    id: UUID
    rule_id: UUID
    state: RehearsalState
    problem: str
    since: datetime
    until: datetime
    entries: int | None = Field(description="How often it would have become true of somebody")
    fired: int | None = Field(description="How often it would have acted, of those that are listed")
    held_back: dict[str, int] = Field(description="Why it would not have acted on the others")
    listed: int | None = Field(description="Of very many entries so many are looked at one by one")
    as_now: list[str] = Field(
        description="Clauses that were judged by what is known today: no history of it is kept"
    )
    would_fire: list[WouldFire] = Field(description="The first 1,000")
