"""Tables of segments and frozen audiences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from contacts_svc.base import Base, Moment
from contacts_svc.segments.schemas import Announces

PAGE = 1_000
"""Persons on a page of a frozen audience: as many as an event carries."""
_Ids: Any = ARRAY(Uuid())
_Numbers: Any = ARRAY(Integer())
_Texts: Any = ARRAY(Text())


class Segment(Base, table=True):
    """A named condition over what is known of people; one of kind `list` holds for those who are on its list."""

    id: UUID = Field(primary_key=True)
    name: str
    kind: str = Field(default="condition", sa_column_kwargs={"server_default": "condition"})
    announces: str = Field(
        default=Announces.NOTHING.value, sa_column_kwargs={"server_default": "nothing"}
    )
    explains: str = Field(
        default=Announces.NOTHING.value, sa_column_kwargs={"server_default": "nothing"}
    )
    """Of whom the rules that act on it are told who comes, with the clauses and facts that brought them."""
    version: int = 1
    condition: dict[str, Any] = Field(sa_type=JSONB)
    is_active: bool = True
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class SegmentMember(Base, table=True):
    """A person who is in a segment, and since when."""

    __tablename__ = "segment_member"

    segment_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True, index=True)
    since: datetime = Field(sa_type=Moment)


class SegmentDue(Base, table=True):
    """The moment at which time alone may bring a person into a segment or out of it."""

    __tablename__ = "segment_due"

    segment_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    due_at: datetime = Field(sa_type=Moment, index=True)


class SegmentState(Base, table=True):
    """How far the keeper has come with a segment.

    `wanted` is raised when the condition changes, or that of a segment it names; `built` follows when everybody has
    been looked at with the newest one.
    """

    __tablename__ = "segment_state"

    segment_id: UUID = Field(primary_key=True)
    wanted: int
    built: int
    building: int
    build_after: UUID | None = None
    built_at: datetime | None = Field(default=None, sa_type=Moment)
    revision: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    """How often it has told of changes."""
    basis: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """A mark of the rules, registers and washes with which decisions were made, where the condition asks for some."""


class SegmentReference(Base, table=True):
    """A segment whose condition names another one."""

    __tablename__ = "segment_reference"

    segment_id: UUID = Field(primary_key=True)
    refers_to: UUID = Field(primary_key=True, index=True)


class RuleSegment(Base, table=True):
    """The segment on which a rule of campaign-svc acts, and the newest version of the rule that was heard of."""

    __tablename__ = "rule_segment"

    rule_id: UUID = Field(primary_key=True)
    segment_id: UUID = Field(index=True)
    version: int


class FrozenAudience(Base, table=True):
    """A segment as it was at a launch; made once per launch."""

    __tablename__ = "frozen_audience"

    launch_id: UUID = Field(primary_key=True)
    campaign_id: UUID
    segment_id: UUID
    segment_name: str
    condition: dict[str, Any] = Field(sa_type=JSONB)
    channel: str
    purpose: str
    total: int
    frozen_at: datetime = Field(sa_type=Moment)
    clauses: list[str] = Field(
        default_factory=list, sa_type=JSONB, sa_column_kwargs={"server_default": "[]"}
    )
    """The clauses of which each member is told which hold, in words."""


class FrozenPage(Base, table=True):
    """Up to 1,000 persons of a frozen audience, in the order of their ids.

    The bits of a person's mask say which of the audience's `clauses` put them there; without masks all of them do.
    """

    __tablename__ = "frozen_page"

    launch_id: UUID = Field(primary_key=True)
    page: int = Field(primary_key=True)
    person_ids: list[UUID] = Field(sa_type=_Ids)
    masks: list[int] = Field(sa_type=_Numbers)
    routes: list[str] = Field(
        default_factory=list, sa_type=_Texts, sa_column_kwargs={"server_default": "{}"}
    )
    """Beside each person the route, as `compile.routes` writes it; empty when the launch asked for none."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many are in an audience, and how good what is known of them is."""

    members: int = 0
    nameless: int = 0
    """Who have not said what they want to be called."""
    doubtful: int = 0
    """Whose name to be called by does not look like one."""
    tired: int = 0
    """Who have got many messages lately."""
    debtors: int = 0
    """Who are reminded of an invoice, also those who are left out for it."""
    duplicates: int = 0
    scored: int = 0
    mean_score: int | None = None
    low_scores: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
    left_out: Sequence[int] = ()
    """Per exclusion how many it leaves out."""
    consents: int = 0
    without_text: int = 0
    """Of those consents, how many keep no text that was shown."""


@dataclass(frozen=True, slots=True)
class ToldPage:
    """A frozen page as it is told: the ids as texts, beside each its mask and its route, or nothing for all of them."""

    person_ids: Sequence[str]
    masks: Sequence[int]
    routes: Sequence[str]
    clauses: Sequence[str]
    """What the bits of a mask say; without masks all of it holds for everybody."""

    def because(self, mask: int) -> list[str]:
        """Return which clauses hold for whoever has this mask."""
        return [text for place, text in enumerate(self.clauses) if mask >> place & 1]


@dataclass(frozen=True, slots=True)
class FrozenMember:
    """A person on a frozen page, and the clauses that put them there."""

    person_id: UUID
    because: Sequence[str]
