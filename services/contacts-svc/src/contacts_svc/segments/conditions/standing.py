"""Clauses about where a person stands: reachable or not, spared, worth, wishes, links, declared fields."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from contacts_svc.segments.conditions.base import MAX_VALUES, Clause, Days, Word, names

Words = Annotated[list[Word], Field(max_length=MAX_VALUES)]
Band = Annotated[int, Field(ge=1, le=10)]
Percent = Annotated[int, Field(ge=0, le=100)]
Number = Annotated[Decimal, Field(max_digits=30, decimal_places=10)]


class Reach(Clause):
    """The state of the person's first address of a kind; `address` is where post goes."""

    op: Literal["reach"]
    kind: Literal["email", "phone", "address"]
    state: Literal["present", "missing", "reachable", "undeliverable", "unknown"] = "present"

    @model_validator(mode="after")
    def check_state(self) -> Self:
        """Of a place it is only known whether it is there."""
        if self.kind == "address" and self.state not in ("present", "missing"):
            message = "reach: an address is present or missing"
            raise ValueError(message)
        return self


class Spared(Clause):
    """The person must not be contacted, or not yet."""

    op: Literal["spared"]


class Value(Clause):
    """The person has bought, and stands in these classes, tiers and bands; what is left out is not asked."""

    op: Literal["value"]
    classes: Words = Field(default_factory=list)
    tiers: Words = Field(default_factory=list)
    recency_at_least: Band | None = None
    frequency_at_least: Band | None = None
    monetary_at_least: Band | None = None


class WantsTopic(Clause):
    """What the person has said about a topic: wanted, refused, or nothing (`none`)."""

    op: Literal["topic"]
    topic: Word
    state: Literal["wanted", "refused", "none"] = "wanted"


class Paused(Clause):
    """The person has asked for a pause, which lasts."""

    op: Literal["paused"]


class Quality(Clause):
    """The data quality of the person, in percent, lies in a range, both ends included; who was not scored yet does not."""

    op: Literal["quality"]
    at_least: Percent = 0
    at_most: Percent = 100


class Linked(Clause):
    """The person has a place in an organisation today; what is left out is not asked."""

    op: Literal["link"]
    organisation_ids: list[UUID] = Field(default_factory=list, max_length=MAX_VALUES)
    roles: Words = Field(default_factory=list)
    min_relevance: int = Field(default=0, ge=0, le=100)
    contactable: bool = False
    """Only places in which the person may be approached."""


class FieldIs(Clause):
    """A declared field has a value, one of these values, or one in a range; dates also by days from today."""

    op: Literal["field"]
    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    is_in: Words = Field(default_factory=list)
    at_least: Number | None = None
    at_most: Number | None = None
    since: date | None = None
    before: date | None = None
    in_last_days: Days | None = None
    in_next_days: Days | None = None

    @model_validator(mode="after")
    def check_kind(self) -> Self:
        """A value is a text, a number or a date."""
        asked = [
            bool(self.is_in),
            self.at_least is not None or self.at_most is not None,
            any(
                one is not None
                for one in (self.since, self.before, self.in_last_days, self.in_next_days)
            ),
        ]
        if sum(asked) > 1:
            message = "field: ask for values, for numbers or for dates, not for two of them"
            raise ValueError(message)
        return self


def _value(node: Value) -> str:
    parts = [
        f"class {names(node.classes)}" if node.classes else "",
        f"tier {names(node.tiers)}" if node.tiers else "",
        *(
            f"{name} band at least {band}"
            for name, band in (
                ("recency", node.recency_at_least),
                ("frequency", node.frequency_at_least),
                ("monetary", node.monetary_at_least),
            )
            if band is not None
        ),
    ]
    return "value: " + (", ".join(part for part in parts if part) or "has bought")


def _field(node: FieldIs) -> str:
    parts = [
        "is " + names(node.is_in) if node.is_in else "",
        f"at least {node.at_least}" if node.at_least is not None else "",
        f"at most {node.at_most}" if node.at_most is not None else "",
        f"since {node.since}" if node.since else "",
        f"before {node.before}" if node.before else "",
        f"in the last {node.in_last_days} days" if node.in_last_days else "",
        f"in the next {node.in_next_days} days" if node.in_next_days else "",
    ]
    return f"field {node.key} " + (" and ".join(part for part in parts if part) or "has a value")


def _link(node: Linked) -> str:
    role = names(node.roles) or "somebody"
    where = f" in {names(node.organisation_ids)}" if node.organisation_ids else ""
    weight = f", relevance at least {node.min_relevance}" if node.min_relevance else ""
    return f"{role} in an organisation{where}{weight}" + (
        ", who may be approached" if node.contactable else ""
    )


WORDS: dict[type, Callable[[Any], str]] = {
    Reach: lambda node: f"{node.kind} is {node.state}",
    Spared: lambda _node: "not to be contacted, or not yet",
    Value: _value,
    WantsTopic: lambda node: f"topic {node.topic}: {node.state}",
    Paused: lambda _node: "has asked for a pause",
    Quality: lambda node: f"data quality from {node.at_least} to {node.at_most} %",
    Linked: _link,
    FieldIs: _field,
}
