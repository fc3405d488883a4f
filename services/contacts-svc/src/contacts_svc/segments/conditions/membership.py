"""Clauses about lists and other segments."""

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

from contacts_svc.segments.conditions.base import Clause


class OnList(Clause):
    """The person was put on this list."""

    op: Literal["on_list"]
    list_id: UUID


class InSegment(Clause):
    """The person is in another segment."""

    op: Literal["segment"]
    segment_id: UUID


WORDS: dict[type, Callable[[Any], str]] = {
    OnList: lambda node: f"on list {node.list_id}",
    InSegment: lambda node: f"in segment {node.segment_id}",
}
