"""The condition language: a typed tree, bounded in depth and size. No SQL text crosses the API."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from kantis_contracts.contacts import Lifecycle, PermissionState
from kantis_contracts.values import Channel, Country, Language, Purpose

MAX_DEPTH = 10
MAX_NODES = 200
MAX_VALUES = 500

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class All(_Node):
    """Every part holds."""

    op: Literal["all"]
    of: list["Condition"] = Field(min_length=1, max_length=MAX_NODES)


class AnyOf(_Node):
    """At least one part holds."""

    op: Literal["any"]
    of: list["Condition"] = Field(min_length=1, max_length=MAX_NODES)


class Not(_Node):
    """The part does not hold."""

    op: Literal["not"]
    of: "Condition"


class CountryIs(_Node):
    """The person's country is one of these."""

    op: Literal["country"]
    is_in: list[Country] = Field(min_length=1, max_length=MAX_VALUES)


class LanguageIs(_Node):
    """The person's language is one of these."""

    op: Literal["language"]
    is_in: list[Language] = Field(min_length=1, max_length=len(Language))


class LifecycleIs(_Node):
    """The person stands here with the company."""

    op: Literal["lifecycle"]
    is_in: list[Lifecycle] = Field(min_length=1, max_length=len(Lifecycle))


class CityIs(_Node):
    """The person lives in one of these places; capital and small letters are the same."""

    op: Literal["city"]
    is_in: list[Word] = Field(min_length=1, max_length=MAX_VALUES)


class PostalCodeStarts(_Node):
    """The postal code starts with one of these."""

    op: Literal["postal_code"]
    starts_with: list[Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z -]{1,12}$")]] = Field(
        min_length=1, max_length=MAX_VALUES
    )


class SourceIs(_Node):
    """The person came from one of these sources."""

    op: Literal["source"]
    is_in: list[Word] = Field(min_length=1, max_length=MAX_VALUES)


class Created(_Node):
    """The contact was made in a span of time: from (included) until (excluded), or within days up to now."""

    op: Literal["created"]
    since: AwareDatetime | None = None
    before: AwareDatetime | None = None
    within_days: int | None = Field(default=None, ge=1, le=36_500)

    @model_validator(mode="after")
    def check_span(self) -> Self:
        """At least one bound."""
        if self.since is None and self.before is None and self.within_days is None:
            message = "created: give since, before or within_days"
            raise ValueError(message)
        return self


class HasPermission(_Node):
    """The ledger says this about a channel and purpose; `none` is silence."""

    op: Literal["permission"]
    channel: Channel
    purpose: Purpose
    state: PermissionState | Literal["none"] = PermissionState.GRANTED


class Compare(StrEnum):
    """How a number is compared."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class OrderMeasure(StrEnum):
    """What is measured of a person's orders."""

    COUNT = "count"
    TOTAL_MINOR = "total_minor"


class Orders(_Node):
    """A number made of the person's orders; `since` or `within_days` narrows which count, `paid_only` too."""

    op: Literal["orders"]
    measure: OrderMeasure = OrderMeasure.COUNT
    compare: Compare = Compare.AT_LEAST
    value: int = Field(ge=0, le=10**15)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    since: AwareDatetime | None = None
    within_days: int | None = Field(default=None, ge=1, le=36_500)
    paid_only: bool = False

    @model_validator(mode="after")
    def check_currency(self) -> Self:
        """Amounts of several currencies are not added up."""
        if self.measure is OrderMeasure.TOTAL_MINOR and self.currency is None:
            message = "orders: an amount needs its currency"
            raise ValueError(message)
        return self


class LastOrder(_Node):
    """The person's last order was placed within these days."""

    op: Literal["last_order"]
    within_days: int = Field(ge=1, le=36_500)


Condition = Annotated[
    All
    | AnyOf
    | Not
    | CountryIs
    | LanguageIs
    | LifecycleIs
    | CityIs
    | PostalCodeStarts
    | SourceIs
    | Created
    | HasPermission
    | Orders
    | LastOrder,
    Field(discriminator="op"),
]
Node = (
    All
    | AnyOf
    | Not
    | CountryIs
    | LanguageIs
    | LifecycleIs
    | CityIs
    | PostalCodeStarts
    | SourceIs
    | Created
    | HasPermission
    | Orders
    | LastOrder
)
"""Any clause."""
for _model in (All, AnyOf, Not):
    _model.model_rebuild()


class ConditionTooLarge(ValueError):
    """Deeper or larger than a condition may be."""


def check_size(raw: object) -> None:
    """Refuse a tree that is too deep or too large, before it is parsed; works without recursion.

    Raises:
        ConditionTooLarge: more than 10 levels or 200 nodes.
    """
    nodes = 0
    level = [raw]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            message = f"a condition has at most {MAX_DEPTH} levels"
            raise ConditionTooLarge(message)
        nodes += len(level)
        if nodes > MAX_NODES:
            message = f"a condition has at most {MAX_NODES} clauses"
            raise ConditionTooLarge(message)
        level = [child for node in level for child in _raw_children(node)]


def _raw_children(node: object) -> list[object]:
    if not isinstance(node, dict):
        return []
    of = node.get("of")
    if isinstance(of, list):
        return of
    return [of] if isinstance(of, dict) else []


def parts_of(node: Node) -> list[Node]:
    """Return the parts of a clause; none for one that compares."""
    if isinstance(node, All | AnyOf):
        return list(node.of)
    return [node.of] if isinstance(node, Not) else []


def describe(node: Node) -> str:
    """Return a clause in words."""
    words = _WORDS.get(type(node))
    if words is not None:
        return words(node)
    return f"{node.op} is " + " or ".join(_name(value) for value in getattr(node, "is_in", ()))


def _name(value: object) -> str:
    return str(getattr(value, "value", value))


def _span(since: datetime | None, before: datetime | None, within_days: int | None) -> str:
    parts = []
    if since is not None:
        parts.append(f"since {since.date()}")
    if before is not None:
        parts.append(f"before {before.date()}")
    if within_days is not None:
        parts.append(f"within {within_days} days")
    return " and ".join(parts)


def _orders(node: Orders) -> str:
    what = (
        "orders"
        if node.measure is OrderMeasure.COUNT
        else f"orders' total in {node.currency} minor units"
    )
    kind = "paid " if node.paid_only else ""
    span = _span(node.since, None, node.within_days)
    return f"{kind}{what} {node.compare.value.replace('_', ' ')} {node.value}{' ' + span if span else ''}"


_WORDS: dict[type, Callable[[Any], str]] = {
    All: lambda node: "all of (" + "; ".join(map(describe, node.of)) + ")",
    AnyOf: lambda node: "any of (" + "; ".join(map(describe, node.of)) + ")",
    Not: lambda node: f"not ({describe(node.of)})",
    PostalCodeStarts: lambda node: "postal code starts with " + " or ".join(node.starts_with),
    Created: lambda node: "created " + _span(node.since, node.before, node.within_days),
    HasPermission: lambda node: f"{node.channel.value} {node.purpose.value}: {_name(node.state)}",
    Orders: _orders,
    LastOrder: lambda node: f"last order within {node.within_days} days",
}
