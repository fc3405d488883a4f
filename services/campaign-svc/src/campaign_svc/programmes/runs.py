"""A run in memory, and what it may ask of the world: what walking and judging are about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Walker:
    """A run in memory: where it is and what it knows."""

    id: UUID
    person_id: UUID
    key: str
    step: str
    number: int
    is_inside: bool
    woken_by: str
    heard: dict[str, str]
    facts: dict[str, Any]
    goals: list[str]
    passes: dict[str, int]
    due_at: datetime | None = None
    waits_for: list[str] = field(default_factory=list)
    own_key: bool = False
    outcome: str = ""
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """What a run may ask: of people, segments and products."""

    now: datetime
    zones: Mapping[UUID, str]
    members: frozenset[tuple[UUID, UUID]]
    """(segment, person) for who is in."""
    dates: Mapping[tuple[UUID, str, str], date]
    """By person, name and key."""
    needs: frozenset[tuple[UUID, str]]
    """(person, word) for what the register knows that somebody needs now."""
    for_sale: frozenset[UUID]
