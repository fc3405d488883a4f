"""Reads of conditions: as they were stored, and with those of the segments that they name."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.permissions.known_sql import load
from contacts_svc.segments.conditions import (
    MAX_EXPANDED,
    All,
    AnyOf,
    Condition,
    InSegment,
    Node,
    bind,
    every,
    expand,
    reads_decisions,
)
from contacts_svc.segments.errors import ConditionInvalid
from contacts_svc.segments.model import (
    Segment,
)
from kantis_kit.tx import ReadTx

_CONDITION: TypeAdapter[Node] = TypeAdapter(Condition)


def parse(stored: object) -> Node:
    """Return the tree that was stored."""
    return _CONDITION.validate_python(stored)


async def resolve(tx: ReadTx, condition: Node) -> Node:
    """Put the conditions of the segments that a tree names into their places, and of those that these name.

    Where decisions are asked for, what decides for everybody now comes with them.

    Raises:
        ConditionInvalid: together they are larger than a condition may be.
    """
    known: dict[UUID, tuple[str, Node]] = {}
    asked = referred(condition)
    while asked:
        rows = plain(
            await tx.execute(
                select(col(Segment.id), col(Segment.name), col(Segment.condition)).where(
                    col(Segment.id).in_(asked), col(Segment.is_active)
                )
            )
        )
        found = {segment_id: (name, parse(stored)) for segment_id, name, stored in rows}
        known |= found
        named = {key for _, inner in found.values() for key in referred(inner)}
        asked = named - known.keys()
    if not known:
        return await _decided(tx, condition)
    size = _expanded_size(condition, known, {})
    if size > MAX_EXPANDED:
        message = f"with the segments that it names it has {size} clauses of at most {MAX_EXPANDED}"
        raise ConditionInvalid(message)
    return await _decided(tx, expand(condition, known))


async def _decided(tx: ReadTx, condition: Node) -> Node:
    return bind(condition, await load(tx)) if reads_decisions(condition) else condition


def _expanded_size(
    node: Node, known: Mapping[UUID, tuple[str, Node]], sizes: dict[UUID, int]
) -> int:
    """Count the clauses that an expanded tree would have, without making it."""
    total = 0
    for part in every(node):
        total += 1
        if isinstance(part, InSegment) and part.segment_id in known:
            if part.segment_id not in sizes:
                inner = known[part.segment_id][1]
                sizes[part.segment_id] = _expanded_size(inner, known, sizes)
            total += sizes[part.segment_id]
    return total


def referred(condition: Node) -> set[UUID]:
    """Return the segments that a tree names."""
    return {node.segment_id for node in every(condition) if isinstance(node, InSegment)}


async def condition_of(tx: ReadTx, segment: Segment) -> Node:
    """Return a segment's condition, with those of the segments that it names."""
    return await resolve(tx, parse(segment.condition))


def reasons(condition: Node, *, is_certain: bool = True) -> list[tuple[Node, bool]]:
    """Return the clauses of which a frozen member is told which hold: leaves, and what is negated as a whole.

    Beside each stands whether it holds for every member, because the condition asks for it without an alternative.
    """
    if isinstance(condition, All | AnyOf):
        is_asked = is_certain and (isinstance(condition, All) or len(condition.of) == 1)
        return [leaf for part in condition.of for leaf in reasons(part, is_certain=is_asked)]
    return [(condition, is_certain)]
