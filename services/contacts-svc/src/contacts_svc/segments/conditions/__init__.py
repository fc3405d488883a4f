"""The condition language: a typed tree, bounded in depth and size. No SQL text crosses the API.

Each family of facts has its own module with its clauses and their words; here they become one language.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from contacts_svc.segments.conditions import (
    activity,
    anniversary,
    membership,
    orders,
    permission,
    profile,
    standing,
)
from contacts_svc.segments.conditions.activity import (
    Answers,
    Insights,
    Interactions,
    Leads,
    Messages,
    Responses,
    Visits,
)
from contacts_svc.segments.conditions.anniversary import Anniversary
from contacts_svc.segments.conditions.base import (
    MAX_NODES,
    MAX_VALUES,
    Clause,
    Compare,
    Counted,
    Window,
    Word,
    names,
)
from contacts_svc.segments.conditions.membership import InSegment, OnList
from contacts_svc.segments.conditions.orders import (
    InDunning,
    LastOrder,
    OrderMeasure,
    Orders,
    OrderState,
    Owes,
    ReturnMeasure,
    Returns,
)
from contacts_svc.segments.conditions.permission import Decided, HasPermission, MayContact
from contacts_svc.segments.conditions.profile import (
    CityIs,
    CountryIs,
    Created,
    LanguageIs,
    LifecycleIs,
    PostalCodeBetween,
    PostalCodeStarts,
    SourceIs,
)
from contacts_svc.segments.conditions.standing import (
    FieldIs,
    Linked,
    Paused,
    Quality,
    Reach,
    Spared,
    Value,
    WantsTopic,
)

MAX_DEPTH = 10
MAX_EXPANDED = 1_000
"""Clauses of a condition together with those of the segments that it names."""


class All(Clause):
    """Every part holds."""

    op: Literal["all"]
    of: list["Condition"] = Field(min_length=1, max_length=MAX_NODES)


class AnyOf(Clause):
    """At least one part holds."""

    op: Literal["any"]
    of: list["Condition"] = Field(min_length=1, max_length=MAX_NODES)


class Not(Clause):
    """The part does not hold."""

    op: Literal["not"]
    of: "Condition"


class Nested(Clause):
    """Another segment with its condition: what `InSegment` becomes when it is looked up; never sent or stored."""

    op: Literal["nested"] = "nested"
    segment_id: UUID
    name: str
    of: Any


Condition = Annotated[
    All
    | AnyOf
    | Not
    | CountryIs
    | LanguageIs
    | LifecycleIs
    | CityIs
    | PostalCodeStarts
    | PostalCodeBetween
    | SourceIs
    | Created
    | HasPermission
    | MayContact
    | Orders
    | LastOrder
    | Returns
    | Owes
    | InDunning
    | Interactions
    | Responses
    | Insights
    | Messages
    | Visits
    | Leads
    | Answers
    | Reach
    | Spared
    | Value
    | WantsTopic
    | Paused
    | Quality
    | Linked
    | FieldIs
    | Anniversary
    | OnList
    | InSegment,
    Field(discriminator="op"),
]
Node = Clause
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
    return [node.of] if isinstance(node, Not | Nested) else []


def every(node: Node) -> Iterator[Node]:
    """Walk over all clauses of a tree, from the top."""
    yield node
    for part in parts_of(node):
        yield from every(part)


def expand(node: Node, known: Mapping[UUID, tuple[str, Node]]) -> Node:
    """Put the conditions of other segments into a tree; a segment that is not known stays a name."""
    if isinstance(node, InSegment) and node.segment_id in known:
        name, inner = known[node.segment_id]
        return Nested(segment_id=node.segment_id, name=name, of=expand(inner, known))
    if isinstance(node, All | AnyOf):
        return node.model_copy(update={"of": [expand(part, known) for part in node.of]})
    if isinstance(node, Not):
        return node.model_copy(update={"of": expand(node.of, known)})
    return node


def reads_decisions(node: Node) -> bool:
    """Say whether a tree asks for decisions, which depend on rules, registers and washes."""
    return any(isinstance(part, MayContact | Decided) for part in every(node))


def bind(node: Node, context: object) -> Node:
    """Put what decides for everybody now into a tree that asks for decisions."""
    if isinstance(node, MayContact):
        return Decided(asked=node, context=context)
    if isinstance(node, Decided):
        return Decided(asked=node.asked, context=context)
    if isinstance(node, All | AnyOf):
        return node.model_copy(update={"of": [bind(part, context) for part in node.of]})
    if isinstance(node, Not | Nested):
        return node.model_copy(update={"of": bind(node.of, context)})
    return node


def describe(node: Node) -> str:
    """Return a clause in words."""
    words = _WORDS.get(type(node))
    if words is not None:
        return words(node)
    op = str(getattr(node, "op", "")).replace("_", " ")
    return f"{op} is {names(getattr(node, 'is_in', ()))}"


_WORDS: dict[type, Callable[[Any], str]] = {
    All: lambda node: "all of (" + "; ".join(map(describe, node.of)) + ")",
    AnyOf: lambda node: "any of (" + "; ".join(map(describe, node.of)) + ")",
    Not: lambda node: f"not ({describe(node.of)})",
    Nested: lambda node: f"in segment “{node.name}”",
    **profile.WORDS,
    **permission.WORDS,
    **orders.WORDS,
    **activity.WORDS,
    **standing.WORDS,
    **anniversary.WORDS,
    **membership.WORDS,
}

__all__ = [
    "MAX_DEPTH",
    "MAX_EXPANDED",
    "MAX_NODES",
    "MAX_VALUES",
    "All",
    "Anniversary",
    "Answers",
    "AnyOf",
    "CityIs",
    "Compare",
    "Condition",
    "ConditionTooLarge",
    "Counted",
    "CountryIs",
    "Created",
    "Decided",
    "FieldIs",
    "HasPermission",
    "InDunning",
    "InSegment",
    "Insights",
    "Interactions",
    "LanguageIs",
    "LastOrder",
    "Leads",
    "LifecycleIs",
    "Linked",
    "MayContact",
    "Messages",
    "Nested",
    "Node",
    "Not",
    "OnList",
    "OrderMeasure",
    "OrderState",
    "Orders",
    "Owes",
    "Paused",
    "PostalCodeBetween",
    "PostalCodeStarts",
    "Quality",
    "Reach",
    "Responses",
    "ReturnMeasure",
    "Returns",
    "SourceIs",
    "Spared",
    "Value",
    "Visits",
    "WantsTopic",
    "Window",
    "Word",
    "bind",
    "check_size",
    "describe",
    "every",
    "expand",
    "parts_of",
    "reads_decisions",
]
