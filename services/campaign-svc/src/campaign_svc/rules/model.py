"""Rules, the entries that they have decided on, and rehearsals."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.actions.model import Asker
from campaign_svc.actions.schemas import ACTION, Action, AskerKind, CallListAction, MessageAction
from campaign_svc.base import Base
from campaign_svc.rules import circles
from campaign_svc.rules.policy import Policy
from campaign_svc.rules.schemas import ReEntry

_MOMENT = DateTime(timezone=True)


class Rule(Base, table=True):
    """A business rule; of its condition the register keeps of whom it is true."""

    id: UUID = Field(primary_key=True)
    version: int
    kind: str = AskerKind.RULE.value
    """`rule`, or `milestone`."""
    name: str
    state: str
    is_paused: bool
    problem: str = ""
    trigger: dict[str, Any] = Field(sa_type=JSONB)
    segment_id: UUID | None = None
    in_words: str = ""
    reads: list[str] = Field(default_factory=list, sa_type=JSONB)
    """What its condition asks for that actions change."""
    action: dict[str, Any] = Field(sa_type=JSONB)
    re_entry: str
    cool_down_hours: int
    priority: int
    valid_from: datetime | None = Field(default=None, sa_type=_MOMENT)
    valid_to: datetime | None = Field(default=None, sa_type=_MOMENT)
    created_by: str
    created_at: datetime = Field(sa_type=_MOMENT)
    updated_at: datetime = Field(sa_type=_MOMENT)

    @property
    def policy(self) -> Policy:
        """How often it acts about one person, and when."""
        return Policy(
            ReEntry(self.re_entry),
            timedelta(hours=self.cool_down_hours),
            self.valid_from,
            self.valid_to,
        )

    @property
    def asker(self) -> Asker:
        """Who acts."""
        return Asker(AskerKind(self.kind), self.id, self.name, self.version)

    @property
    def does(self) -> Action:
        """What it does; its messages have the priority of the rule, and live no longer than what it waits for."""
        action = ACTION.validate_python(self.action)
        if not isinstance(action, MessageAction | CallListAction):
            return action
        minutes = action.valid_minutes or self.trigger.get("within_minutes")
        return action.model_copy(update={"priority": self.priority, "valid_minutes": minutes})

    @property
    def link(self) -> circles.Link:
        """The rule as far as circles go."""
        return circles.Link(
            self.id,
            self.name,
            circles.writes_of(self.does),
            frozenset(self.reads),
            circles.has_brake(ReEntry(self.re_entry), self.cool_down_hours),
        )


class RuleEntry(Base, table=True):
    """One time at which a rule's condition became true of a person, and what was decided."""

    __tablename__ = "rule_entry"

    id: UUID = Field(primary_key=True)
    rule_id: UUID
    rule_version: int
    person_id: UUID
    merged_id: UUID | None = None
    at: datetime = Field(sa_type=_MOMENT)
    decided_at: datetime = Field(sa_type=_MOMENT)
    decision: str
    clauses: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    step_id: UUID | None = None


class RuleMember(Base, table=True):
    """Of whom the condition of a rule is true that waits for something else to happen."""

    __tablename__ = "rule_member"

    segment_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    """As the register tells it, which knows of merges before we do; whoever is looked for is looked for as known now."""
    is_in: bool
    changed_at: datetime = Field(sa_type=_MOMENT)


class Rehearsal(Base, table=True):
    """A question what a rule would have done, and the register's answer."""

    id: UUID = Field(primary_key=True)
    rule_id: UUID
    since: datetime = Field(sa_type=_MOMENT)
    until: datetime = Field(sa_type=_MOMENT)
    entries: int | None = None
    listed: int | None = None
    as_now: list[str] = Field(default_factory=list, sa_type=JSONB)
    problem: str = ""
    asked_by: str
    asked_at: datetime = Field(sa_type=_MOMENT)


class RehearsalEntry(Base, table=True):
    """Somebody of whom it would have become true."""

    __tablename__ = "rehearsal_entry"

    rehearsal_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=_MOMENT)
