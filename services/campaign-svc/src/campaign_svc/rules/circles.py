"""Rules that trigger themselves, or one another: what an action changes, and which conditions read that."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from campaign_svc.actions.schemas import (
    Action,
    CallListAction,
    MessageAction,
    TagAction,
)
from campaign_svc.rules.schemas import ReEntry

BRAKE_HOURS = 24
"""A cool-down of so long makes a circle harmless."""
MEND = f"let it act once (re_entry: once, once_a_year), or give it a cool_down_hours of at least {BRAKE_HOURS}"


@dataclass(frozen=True, slots=True)
class Link:
    """A rule as far as circles go."""

    id: UUID
    name: str
    writes: frozenset[str]
    reads: frozenset[str]
    has_brake: bool


def writes_of(action: Action) -> frozenset[str]:
    """Return what an action changes that conditions can ask for."""
    if isinstance(action, TagAction):
        return frozenset({f"list {action.list_segment_id}"})
    return frozenset({"messages"} if isinstance(action, MessageAction | CallListAction) else ())


def reads_of(ops: Iterable[str], lists: Iterable[UUID | str]) -> frozenset[str]:
    """Return what a condition asks for that actions change."""
    asked = {op for op in ops if op == "messages"}
    return frozenset(asked | {f"list {one}" for one in lists})


def has_brake(re_entry: ReEntry, cool_down_hours: int) -> bool:
    """Say whether a rule cannot run in a circle for long."""
    return re_entry is not ReEntry.EVERY_ENTRY or cool_down_hours >= BRAKE_HOURS


def named_in(condition: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Return the kinds of clauses and the lists that a condition names, before the register has judged it."""
    ops: set[str] = set()
    lists: set[str] = set()
    left: list[Any] = [condition]
    while left:
        node = left.pop()
        if not isinstance(node, Mapping):
            continue
        ops.add(str(node.get("op", "")))
        if node.get("op") == "on_list":
            lists.add(str(node.get("list_id", "")))
        of = node.get("of")
        left += of if isinstance(of, list) else [of]
    return ops, lists


def find_circle(new: Link, others: Collection[Link]) -> list[str]:
    """Return the names of the rules over which `new` would come back to itself without a brake; none when it does not."""
    if new.has_brake:
        return []
    free = [one for one in others if not one.has_brake and one.id != new.id]
    way: list[tuple[Link, list[str]]] = [(new, [new.name])]
    seen: set[UUID] = set()
    while way:
        link, names = way.pop()
        if link.writes & new.reads:
            return names
        for one in free:
            if one.id not in seen and link.writes & one.reads:
                seen.add(one.id)
                way.append((one, [*names, one.name]))
    return []


def in_words(names: list[str]) -> str:
    """Return what is wrong, and how to mend it."""
    if len(names) == 1:
        return f"“{names[0]}” asks for what it changes itself: it would begin again without end; {MEND}"
    way = " → ".join(f"“{one}”" for one in [*names, names[0]])
    return f"{way}: each changes what the next one asks for, without end; {MEND}"
