"""What clauses of all families share: bounds, windows of time, counts, and their words."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from kantis_kit.web.schemas import Instant

MAX_NODES = 200
MAX_VALUES = 500
MAX_DAYS = 36_500
MAX_NUMBER = 10**15

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Days = Annotated[int, Field(ge=1, le=MAX_DAYS)]
Campaigns = Annotated[
    tuple[UUID, ...],
    Field(max_length=MAX_VALUES, description="What came of these campaigns alone; empty is any"),
]


class Clause(BaseModel):
    """A part of a condition."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(Clause):
    """What happened since a moment, or within days up to now; without a bound, ever."""

    since: Instant | None = None
    within_days: Days | None = None


class Compare(StrEnum):
    """How a number is compared."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class Counted(Window):
    """How many rows of a kind a person has in a window."""

    compare: Compare = Compare.AT_LEAST
    value: int = Field(default=1, ge=0, le=MAX_NUMBER)

    @property
    def asks_for_any(self) -> bool:
        """Say whether it only matters if there is a row at all."""
        return self.value == (1 if self.compare is Compare.AT_LEAST else 0)


def name_of(value: object) -> str:
    """Return a value in words."""
    return str(getattr(value, "value", value))


def names(values: Iterable[object]) -> str:
    """Return alternatives in words."""
    return " or ".join(name_of(value) for value in values)


def of_campaigns(ids: Iterable[UUID]) -> str:
    """Return which campaigns something is of, in words; nothing for any."""
    found = names(ids)
    return f" of campaign {found}" if found else ""


def span(since: datetime | None, before: datetime | None, within_days: int | None) -> str:
    """Return a window of time in words."""
    parts = []
    if since is not None:
        parts.append(f"since {since.date()}")
    if before is not None:
        parts.append(f"before {before.date()}")
    if within_days is not None:
        parts.append(f"within {within_days} days")
    return " and ".join(parts)


def counted(what: str, node: Counted) -> str:
    """Return a count in words."""
    window = span(node.since, None, node.within_days)
    return " ".join(
        part
        for part in (what, node.compare.value.replace("_", " "), str(node.value), window)
        if part
    )
