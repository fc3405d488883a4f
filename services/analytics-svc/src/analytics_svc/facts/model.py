"""Facts and what they add up to.

A fact is what is known of one thing (a piece, a click, an order) from every event that spoke of it. Merging two
accounts of a thing is commutative, associative and idempotent, so that any order and any number of deliveries end in
the same fact. What facts add to the roll-ups stands in `sql`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from hashlib import md5
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from analytics_svc.base import Base

PERSON_KINDS = ("clicker", "opener", "responder")
"""Facts that a person did something in a campaign at all: one per person, however many ids the person had."""
NO_CELL = UUID(int=0)
"""Stands for the cell of what belongs to a campaign but to none of its cells."""
CREDITED = "credited:"
"""Begins the name of a mark on an order, which goes on with the id of a credit note."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class FactRow(Base, table=True):
    """A fact as it is stored."""

    __tablename__ = "fact"

    kind: str = Field(primary_key=True)
    key: UUID = Field(primary_key=True)
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    person_id: UUID | None = None
    currency: str = ""
    label: str = ""
    channel: str = ""
    marks: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another person."""
    is_twin: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    """Whether the same person did the same before, under another id: counted there."""


class Tally(Base, table=True):
    """A roll-up: the sum of a measure per campaign, cell, channel and day; amounts of money per currency."""

    campaign_id: UUID = Field(primary_key=True)
    cell_id: UUID = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)


class CampaignCard(Base, table=True):
    """What reports say of a campaign."""

    __tablename__ = "campaign_card"

    campaign_id: UUID = Field(primary_key=True)
    name: str
    channel: str
    currency: str
    offer_name: str = ""
    launched_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class CellCard(Base, table=True):
    """What reports say of a cell."""

    __tablename__ = "cell_card"

    cell_id: UUID = Field(primary_key=True)
    campaign_id: UUID
    name: str
    key_code: str
    cost_per_piece_minor: int = Field(sa_type=BigInteger)


class Measure(StrEnum):
    """What is counted; `…_minor` are amounts of money, `…_persons` count each person once per campaign."""

    PLANNED = "planned"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"
    OPENED = "opened"
    OPENED_PERSONS = "opened_persons"
    CLICKED = "clicked"
    CLICKED_PERSONS = "clicked_persons"
    CLICKED_MACHINE = "clicked_machine"
    UNSUBSCRIBED = "unsubscribed"
    RESPONDED = "responded"
    RESPONDED_PERSONS = "responded_persons"
    ORDERED = "ordered"
    REVENUE_MINOR = "revenue_minor"
    PAID = "paid"
    PAID_MINOR = "paid_minor"
    RECEIVED_MINOR = "received_minor"
    COST_MINOR = "cost_minor"
    RETURNED = "returned"
    RETURNED_MINOR = "returned_minor"
    CAME_BACK = "came_back"
    LOST_MINOR = "lost_minor"


BOUGHT = (
    "responded", "ordered", "revenue_minor", "paid", "paid_minor", "received_minor", "returned", "returned_minor",
    "invoiced", "settled", "settled_late", "settled_days", "reminded",
)  # fmt: skip
"""What is counted per person and day: what people answered, bought and sent back, and how they paid."""
PURCHASE = ("ordered", "revenue_minor", "paid_minor", "returned_minor")
"""What cohorts are made of."""
HOUSE = ("leads", "responded", "missed", "scored", "joined", "left", "post_returned", "lost_minor")
"""What is counted for the whole house, per day and label.

Leads by form; answers, and those that were late, by kind and way; scores by survey, question and score; people who came
on the lists and who left them, by channel and purpose; post that came back by kind and reason, and what its pieces
had cost.
"""
LABELLED = "/"
"""Stands between a measure and the label under which a campaign counts it once more: `responded/order/web`."""
MOST_NTH = 12
"""Up to which purchase it is counted how many came so far."""


person_sum = Table(
    "person_sum",
    Base.metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    *(Column(measure.value, BigInteger, nullable=False, server_default="0") for measure in Measure),
)
"""A roll-up: what a person's facts add up to, per channel and currency; all measures in one row."""


_OF_A_MONTH = ("buyers", "orders", "revenue_minor", "paid_minor", "returned_minor")
"""What a buyer adds to the cohort, and the cohort adds up, in a month."""


def _values(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False, server_default="0") for name in names]


house_tally = Table(
    "house_tally",
    Base.metadata,
    Column("measure", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""A roll-up: the sum of a measure of the whole house, per day and label."""

buyer_day = Table(
    "buyer_day",
    Base.metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("campaign_id", Uuid, primary_key=True),
    Column("currency", Text, primary_key=True),
    *_values(*BOUGHT),
)
"""A roll-up: what a person answered, bought and paid on a day, by the campaign that brought it (or none)."""

buyer = Table(
    "buyer",
    Base.metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("first_on", Date, nullable=False, server_default="1970-01-01"),
    Column("last_on", Date, nullable=False, server_default="1970-01-01"),
    *_values("days", "later_minor", "orders", "revenue_minor", "paid_minor", "returned_minor"),
)
"""What a person bought in a currency: the first and last day, on how many days, and for how much after the first."""

buyer_month = Table(
    "buyer_month",
    Base.metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("cohort", Date, nullable=False),
    *_values(*_OF_A_MONTH),
)
"""What a buyer adds to a cohort: the month of the first order."""

cohort_sum = Table(
    "cohort_sum",
    Base.metadata,
    Column("currency", Text, primary_key=True),
    Column("cohort", Date, primary_key=True),
    Column("month", Date, primary_key=True),
    *_values(*_OF_A_MONTH),
)
"""A roll-up: what those who first bought in a month did in each month since."""

repeat_sum = Table(
    "repeat_sum",
    Base.metadata,
    Column("currency", Text, primary_key=True),
    Column("cohort", Date, primary_key=True),
    Column("nth", Integer, primary_key=True),
    *_values("buyers"),
)
"""A roll-up: how many of a cohort have ordered so many times, or more."""


class SurveyCard(Base, table=True):
    """What reports say of a survey."""

    __tablename__ = "survey_card"

    survey_id: UUID = Field(primary_key=True)
    name: str


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One thing that was said of a fact; of two accounts the greater one holds."""

    rank: int
    at: datetime
    amount: int = 0

    def stored(self) -> list[int]:
        """Return the mark as it is stored: the moment in microseconds since 1970, before which nothing happened."""
        return [self.rank, max(0, (self.at - _EPOCH) // _MICROSECOND), self.amount]

    @classmethod
    def earliest(cls, at: datetime) -> "Mark":
        """Return a mark of which the earliest account holds."""
        return cls(-int(at.timestamp() * 1_000_000), at)


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of one thing."""

    kind: str
    key: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    person_id: UUID | None = None
    currency: str = ""
    label: str = ""
    channel: str = ""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    merged_id: UUID | None = None

    @property
    def who(self) -> tuple[UUID | None, UUID | None]:
        """With whom it stands, and the id under which it came when that was merged."""
        return self.person_id, self.merged_id

    def stored(self) -> dict[str, Any]:
        """Return the fact as a row."""
        return {
            "kind": self.kind, "key": self.key, "campaign_id": self.campaign_id, "cell_id": self.cell_id,
            "person_id": self.person_id, "merged_id": self.merged_id, "currency": self.currency, "label": self.label,
            "channel": self.channel, "marks": {name: mark.stored() for name, mark in self.marks.items()},
        }  # fmt: skip

    def merge(self, other: "Fact") -> "Fact":
        """Return what both accounts of the thing say together."""
        marks = dict(self.marks)
        for name, mark in other.marks.items():
            marks[name] = max(mark, marks.get(name, mark))
        person_id, merged_id = max(self.who, other.who, key=_in_order)
        return replace(
            self,
            campaign_id=_known(self.campaign_id, other.campaign_id),
            cell_id=_known(self.cell_id, other.cell_id),
            person_id=person_id,
            merged_id=merged_id,
            currency=max(self.currency, other.currency),
            label=max(self.label, other.label),
            channel=max(self.channel, other.channel),
            marks=marks,
        )


def _known(one: UUID | None, other: UUID | None) -> UUID | None:
    if one is None or other is None:
        return one or other
    return max(one, other)


def _in_order(who: tuple[UUID | None, UUID | None]) -> tuple[int, int]:
    person_id, merged_id = who
    return (person_id.int if person_id else -1), (merged_id.int if merged_id else -1)


def person_key(campaign_id: UUID, kind: str, person_id: UUID) -> UUID:
    """Return the key of the fact that a person did something in a campaign at all.

    It begins with the moment at which the campaign was made, as ids of that time do: so it lies in a month's partition.
    """
    return _named_after(campaign_id, f"{campaign_id}{kind}{person_id}")


def _named_after(born: UUID, name: str) -> UUID:
    of_name = md5(name.encode(), usedforsecurity=False).hexdigest()
    return UUID(f"{born.hex[:12]}7{of_name[:3]}8{of_name[3:18]}")


def step_key(step_id: UUID, person_id: UUID, channel: str) -> UUID:
    """Return the key of a message that a rule or a programme asked for, known before there is a message."""
    return _named_after(step_id, f"{step_id}{person_id}{channel}")


def permission_key(person_id: UUID, channel: str, purpose: str) -> UUID:
    """Return the key of what a person says to a purpose in a channel."""
    return _named_after(person_id, f"{person_id}{channel}{purpose}")
