"""Facts and what they add up to.

A fact is what is known of one thing (a piece, a click, an order) from every event that spoke of it. Merging two
accounts of a thing is commutative, associative and idempotent, so that any order and any number of deliveries end in
the same fact; what a fact adds to the roll-ups is a function of it alone, so that each change moves them by the
difference, and a rebuild from the facts gives the same numbers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from analytics_svc.base import Base

PERSON_KINDS = ("clicker", "opener", "responder")
"""Facts that a person did something in a campaign at all: one per person, however many ids the person had."""
NO_CELL = UUID(int=0)
"""Stands for the cell of what belongs to a campaign but to none of its cells."""


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
    marks: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another person."""
    is_twin: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    """Whether the same person did the same before, under another id: counted there."""


class Tally(Base, table=True):
    """A roll-up: the sum of a measure per campaign, cell and day; amounts of money per currency."""

    campaign_id: UUID = Field(primary_key=True)
    cell_id: UUID = Field(primary_key=True)
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


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One thing that was said of a fact; of two accounts the greater one holds."""

    rank: int
    at: datetime
    amount: int = 0

    def as_json(self) -> list[Any]:
        """Return the mark as it is stored."""
        return [self.rank, self.at.isoformat(), self.amount]

    @classmethod
    def from_json(cls, value: list[Any]) -> "Mark":
        """Read a stored mark."""
        return cls(value[0], datetime.fromisoformat(value[1]), value[2])

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
    marks: Mapping[str, Mark] = field(default_factory=dict)
    merged_id: UUID | None = None
    is_twin: bool = False

    @property
    def who(self) -> tuple[UUID | None, UUID | None]:
        """With whom it stands, and the id under which it came when that was merged."""
        return self.person_id, self.merged_id

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
    """Return the key of the fact that a person did something in a campaign at all."""
    return uuid5(campaign_id, f"{kind}:{person_id}")


Move = tuple[UUID, UUID, date, str, str]
"""Where a fact adds: campaign, cell, day, measure, currency (empty for what is not money)."""


def moves(fact: Fact) -> "Counter[Move]":
    """Return what a fact adds to the roll-ups; nothing when it belongs to no campaign."""
    counted: Counter[Move] = Counter()
    rule = _RULES.get(fact.kind)
    if rule is None or fact.campaign_id is None or fact.is_twin:
        return counted
    for measure, at, amount in rule(fact.marks):
        currency = fact.currency if measure.endswith("_minor") else ""
        day = at.astimezone(UTC).date()
        where = (fact.campaign_id, fact.cell_id or NO_CELL, day, measure.value, currency)
        counted[where] += amount
    return counted


def difference(before: Fact, after: Fact) -> "Counter[Move]":
    """Return what the roll-ups must move by when a fact becomes better known."""
    change = moves(after)
    change.subtract(moves(before))
    return change


def total_moves(facts: Iterable[Fact]) -> "Counter[Move]":
    """Return what the facts add up to."""
    whole: Counter[Move] = Counter()
    for fact in facts:
        whole.update(moves(fact))
    return whole


_Count = tuple[Measure, datetime, int]
_ENDS = {
    "expired": Measure.EXPIRED,
    "suppressed": Measure.SUPPRESSED,
    "accepted": Measure.DELIVERED,
    "failed": Measure.FAILED,
}
"""How a piece can end; of two ends the later one holds, at the same moment the one further down."""


def _piece(marks: Mapping[str, Mark]) -> Iterator[_Count]:
    released = marks.get("released")
    if released:
        yield Measure.PLANNED, released.at, 1
    sent = marks.get("accepted")
    if sent:
        yield Measure.SENT, sent.at, 1
    ends = [(marks[name].at, index, name) for index, name in enumerate(_ENDS) if name in marks]
    doubt = marks.get("in_doubt")
    if ends:
        at, _, name = max(ends)
        yield _ENDS[name], at, 1
    elif doubt:
        yield Measure.IN_DOUBT, doubt.at, 1
    # What was handed over has cost its price; what is in doubt is taken as handed over until it is known.
    handed_over = sent or (doubt if not ends else None)
    if released and handed_over:
        yield Measure.COST_MINOR, handed_over.at, released.amount


def _order(marks: Mapping[str, Mark]) -> Iterator[_Count]:
    if "cancelled" in marks:
        return  # called off before it was shipped: neither ordered nor earned
    for name, count, amount in (
        ("placed", Measure.ORDERED, Measure.REVENUE_MINOR),
        ("paid", Measure.PAID, Measure.PAID_MINOR),
    ):
        if mark := marks.get(name):
            yield count, mark.at, 1
            yield amount, mark.at, mark.amount


def _payment(marks: Mapping[str, Mark]) -> Iterator[_Count]:
    if mark := marks.get("booked"):
        yield Measure.RECEIVED_MINOR, mark.at, mark.amount


def _once(measure: Measure) -> Callable[[Mapping[str, Mark]], Iterator[_Count]]:
    def count(marks: Mapping[str, Mark]) -> Iterator[_Count]:
        if mark := marks.get("seen"):
            yield measure, mark.at, 1

    return count


_RULES: Mapping[str, Callable[[Mapping[str, Mark]], Iterator[_Count]]] = {
    "piece": _piece,
    "order": _order,
    "payment": _payment,
    "opening": _once(Measure.OPENED),
    "opener": _once(Measure.OPENED_PERSONS),
    "click": _once(Measure.CLICKED),
    "clicker": _once(Measure.CLICKED_PERSONS),
    "machine_click": _once(Measure.CLICKED_MACHINE),
    "withdrawal": _once(Measure.UNSUBSCRIBED),
    "response": _once(Measure.RESPONDED),
    "responder": _once(Measure.RESPONDED_PERSONS),
}
