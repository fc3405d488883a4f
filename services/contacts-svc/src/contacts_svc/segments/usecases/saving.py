"""How segments are kept: never in a circle, never too costly, and everybody is looked at anew after a change."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Uuid, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import plain, table_of
from contacts_svc.fields import queries as fields
from contacts_svc.segments import compile as sql
from contacts_svc.segments import queries
from contacts_svc.segments.conditions import Anniversary, FieldIs, Node, OnList, every
from contacts_svc.segments.costs import check_cost
from contacts_svc.segments.errors import (
    KindFixed,
    ReferenceUnknown,
    SegmentCircle,
    SegmentClosing,
    SegmentInUse,
)
from contacts_svc.segments.model import Segment, SegmentReference, SegmentState
from contacts_svc.segments.schemas import SegmentIn
from kantis_kit.db.sets import column_set
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

_SAVING = 7_310_022
"""The advisory lock of those who change which segment names which: two at once could close a circle."""

_segment: Table = table_of(Segment)
_state: Table = table_of(SegmentState)
_reference: Table = table_of(SegmentReference)


async def make_segment(tx: Tx, body: SegmentIn, *, segment_id: UUID | None = None) -> Segment:
    """Keep a new segment, under an id of its own unless one is given.

    Raises:
        ReferenceUnknown: the condition names a segment, list or field that is not there.
        ConditionTooCostly: the planner foresees too much work.
        ConditionInvalid: with the segments that it names it is too large.
    """
    now = tx.clock.now()
    segment_id = segment_id or new_id()
    condition = await _checked(tx, segment_id, body)
    segment = Segment(
        id=segment_id,
        name=body.name,
        kind=body.kind,
        announces=body.announces.value,
        condition=condition,
        created_at=now,
        updated_at=now,
    )
    tx.add(segment)
    tx.add(SegmentState(segment_id=segment_id, wanted=1, built=0, building=0))
    return segment


async def change_segment(tx: Tx, segment: Segment, body: SegmentIn) -> None:
    """Replace a locked segment.

    Raises:
        KindFixed: a list stays a list.
        SegmentCircle: it would depend on itself.
        ReferenceUnknown: the condition names a segment, list or field that is not there.
        ConditionTooCostly: the planner foresees too much work.
        ConditionInvalid: with the segments that it names it is too large.
    """
    if body.kind != segment.kind:
        raise KindFixed(f"This one is of kind {segment.kind}; make another segment")
    condition = await _checked(tx, segment.id, body)
    if condition != segment.condition:
        await _look_anew(tx, segment.id)
    segment.name, segment.condition = body.name, condition
    segment.announces = body.announces.value
    segment.version, segment.updated_at = segment.version + 1, tx.clock.now()


async def close_segment(tx: Tx, segment: Segment) -> None:
    """Close a locked segment; what was frozen from it stays.

    Raises:
        SegmentInUse: others name it.
    """
    await _one_at_a_time(tx)
    users = await queries.list_referring(tx, segment.id)
    if users:
        named = ", ".join(f"“{one.name}”" for one in users[:5])
        raise SegmentInUse(
            f"Take it out of {named} first", segment_ids=[str(one.id) for one in users]
        )
    segment.is_active, segment.version, segment.updated_at = (
        False,
        segment.version + 1,
        tx.clock.now(),
    )
    await tx.execute(delete(_reference).where(_reference.c.segment_id == segment.id))
    await tx.execute(update(_state).where(_state.c.segment_id == segment.id).values(wanted=0))


async def reopen_segment(tx: Tx, segment_id: UUID) -> None:
    """Open a segment again that was closed; everybody in it is told anew.

    Raises:
        SegmentClosing: its members are not forgotten yet.
    """
    opened = await tx.scalar(
        update(_segment)
        .where(_segment.c.id == segment_id, ~_segment.c.is_active)
        .values(is_active=True, version=_segment.c.version + 1)
        .returning(_segment.c.id)
    )
    if opened is None:
        return
    if await tx.get(SegmentState, segment_id) is not None:
        raise SegmentClosing("It was closed a moment ago; ask again when its members are forgotten")
    # Counts from above whatever was told before it was closed, so that none of that is taken for newer.
    told = int(tx.clock.now().timestamp())
    tx.add(SegmentState(segment_id=segment_id, wanted=1, built=0, building=0, revision=told))


async def _one_at_a_time(tx: Tx) -> None:
    await tx.execute(select(func.pg_advisory_xact_lock(_SAVING)))


async def _checked(tx: Tx, segment_id: UUID, body: SegmentIn) -> dict[str, Any]:
    """Check a condition, note which segments it names, and return it as it is stored."""
    if body.condition is None:
        return OnList(op="on_list", list_id=segment_id).model_dump(mode="json")
    condition: Node = body.condition
    named = queries.referred(condition)
    lists = {node.list_id for node in every(condition) if isinstance(node, OnList)}
    await _one_at_a_time(tx)
    await _check_known(tx, named | lists, lists)
    await _check_circle(tx, segment_id, named)
    await _check_fields(tx, condition)
    # Named before it is there: a segment that names itself has nothing to stand for it yet.
    resolved = await queries.resolve(tx, condition)
    await check_cost(tx, sql.members(resolved, now=tx.clock.now()))
    await _refer(tx, segment_id, named | lists)
    return condition.model_dump(mode="json")


async def _check_known(tx: Tx, asked: set[UUID], lists: set[UUID]) -> None:
    if not asked:
        return
    rows = plain(
        await tx.execute(
            select(_segment.c.id, _segment.c.kind).where(
                _segment.c.id.in_(asked), _segment.c.is_active
            )
        )
    )
    kinds = dict(rows)
    unknown = sorted(asked - kinds.keys())
    if unknown:
        raise ReferenceUnknown("There is no segment " + ", ".join(map(str, unknown[:5])))
    wrong = sorted(key for key in lists if kinds[key] != "list")
    if wrong:
        raise ReferenceUnknown(
            f"{wrong[0]} is no list; ask for it by {{'op': 'segment', 'segment_id': …}}"
        )


async def _check_fields(tx: Tx, condition: Node) -> None:
    asked = {
        node.key
        for node in every(condition)
        if isinstance(node, FieldIs | Anniversary) and node.key
    }
    if not asked:
        return
    declared = await fields.load(tx)
    for key in sorted(asked):
        if key not in declared:
            raise ReferenceUnknown(f"There is no field {key}; declare it at /v1/fields first")
        if not declared[key].is_filtered:
            raise ReferenceUnknown(
                f"Conditions cannot ask for the field {key}: it was declared without is_filtered"
            )


async def _check_circle(tx: Tx, segment_id: UUID, named: set[UUID]) -> None:
    seen: set[UUID] = set()
    asked = named
    while asked:
        if segment_id in asked:
            raise SegmentCircle("It names itself, or a segment that depends on it")
        seen |= asked
        rows = await tx.scalars(
            select(_reference.c.refers_to).where(_reference.c.segment_id.in_(asked))
        )
        asked = set(rows) - seen


async def _refer(tx: Tx, segment_id: UUID, named: Iterable[UUID]) -> None:
    await tx.execute(delete(_reference).where(_reference.c.segment_id == segment_id))
    chosen = sorted(named)
    if not chosen:
        return
    rows = column_set("named", {"id": (Uuid(), chosen)})
    await tx.execute(
        insert(_reference).from_select(
            ["segment_id", "refers_to"], select(literal(segment_id, Uuid()), rows.c.id)
        )
    )


async def _look_anew(tx: Tx, segment_id: UUID) -> None:
    """Have everybody looked at with the new condition, also in the segments that name this one."""
    seen: set[UUID] = set()
    asked = {segment_id}
    while asked:
        seen |= asked
        rows = await tx.scalars(
            select(_reference.c.segment_id).where(_reference.c.refers_to.in_(asked))
        )
        asked = set(rows) - seen
    # One order for all, so that nobody waits in a circle.
    locked = await tx.scalars(
        select(_state.c.segment_id)
        .where(_state.c.segment_id.in_(seen), _state.c.wanted > 0)
        .order_by(_state.c.segment_id)
        .with_for_update()
    )
    await tx.execute(
        update(_state)
        .where(_state.c.segment_id.in_(list(locked)))
        .values(wanted=_state.c.wanted + 1)
    )
