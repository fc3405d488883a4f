"""What was done about people: one row per step and person, with its reasons and its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from campaign_svc.actions.schemas import Action, AskerKind
from campaign_svc.base import Base

_MOMENT = DateTime(timezone=True)


@dataclass(frozen=True, slots=True)
class Asker:
    """The rule, programme or milestone that acts, in the version that does."""

    kind: AskerKind
    id: UUID
    name: str
    version: int
    step: str = ""
    """Of a programme; empty where there is only one."""


@dataclass(frozen=True, slots=True)
class Target:
    """A person about whom something is done."""

    person_id: UUID
    step_id: UUID
    because: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """What one asker does about people."""

    asker: Asker
    action: Action
    targets: Sequence[Target]


def step_id(asker: Asker, person_id: UUID, occasion: str) -> UUID:
    """Return the id of what an asker does about a person on an occasion: the same however often it is asked for."""
    return uuid5(asker.id, f"{asker.step}|{person_id}|{occasion}")


class Step(Base, table=True):
    """One thing that was done about one person."""

    id: UUID = Field(primary_key=True)
    asker_kind: str
    asker_id: UUID
    asker_name: str
    asker_version: int
    step: str
    person_id: UUID
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another person."""
    kind: str
    action: dict[str, Any] = Field(sa_type=JSONB)
    because: list[str] = Field(default_factory=list, sa_type=JSONB)
    facts: dict[str, str] = Field(default_factory=dict, sa_type=JSONB)
    channel: str = ""
    missed: dict[str, str] = Field(default_factory=dict, sa_type=JSONB)
    state: str
    reason: str = ""
    at: datetime = Field(sa_type=_MOMENT)
    due_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    settled_by: str = ""
