"""Reads of segments: who is in them, how many, and why."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.segments import compile as sql
from contacts_svc.segments.conditions import (
    All,
    AnyOf,
    Node,
    describe,
    parts_of,
)
from contacts_svc.segments.costs import bound_time, check_cost
from contacts_svc.segments.errors import SegmentUnknown
from contacts_svc.segments.model import (
    Segment,
    SegmentDue,
    SegmentMember,
    SegmentReference,
    SegmentState,
)
from contacts_svc.segments.queries.keeping import find_kept
from contacts_svc.segments.queries.trees import condition_of, parse, resolve
from contacts_svc.segments.schemas import (
    ClauseOut,
    CountOut,
    ExplanationOut,
    MemberOut,
    MembershipOut,
    PreviewOut,
    SegmentOfPersonOut,
    SegmentOut,
)
from contacts_svc.touched import Family, Follower, TouchedPerson, untaken
from kantis_kit.errors import Invalid
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.paging import decode_cursor, encode_cursor

SAMPLE = 20
"""How many people a preview shows."""


def segment_out(segment: Segment) -> SegmentOut:
    """Shape a segment for the API."""
    return SegmentOut(**segment.model_dump(), in_words=in_words(segment))


def in_words(segment: Segment) -> str:
    """Return what a segment holds for, in words."""
    return "on this list" if segment.kind == "list" else describe(parse(segment.condition))


async def find_segment(tx: ReadTx, segment_id: UUID) -> Segment | None:
    """Return a segment that was not closed, or None."""
    segment = await tx.get(Segment, segment_id)
    return segment if segment is not None and segment.is_active else None


async def get_segment(tx: ReadTx, segment_id: UUID) -> Segment:
    """Return a segment. Raises `SegmentUnknown`."""
    segment = await find_segment(tx, segment_id)
    if segment is None:
        raise SegmentUnknown
    return segment


async def lock_segment(tx: Tx, segment_id: UUID) -> Segment:
    """Return a segment, locked. Raises `SegmentUnknown`."""
    segment: Segment | None = await tx.scalar(
        select(Segment)
        .where(col(Segment.id) == segment_id, col(Segment.is_active))
        .with_for_update()
    )
    if segment is None:
        raise SegmentUnknown
    return segment


async def list_segments(tx: ReadTx) -> list[SegmentOut]:
    """Return the segments in the order of their making."""
    rows = await tx.scalars(
        select(Segment).where(col(Segment.is_active)).order_by(col(Segment.id)).limit(1_000)
    )
    return [segment_out(row) for row in rows]


async def membership_of(tx: ReadTx, segment: Segment) -> MembershipOut:
    """Return how the kept membership of a segment stands."""
    now = tx.clock.now()
    state = await tx.get(SegmentState, segment.id)
    families = sql.families(await condition_of(tx, segment)) | Family.PROFILE
    touched = select(func.min(col(TouchedPerson.at))).where(
        untaken(table_of(TouchedPerson).c.followed, Follower.SEGMENTS),
        col(TouchedPerson.families).op("&")(int(families)) != 0,
    )
    due = select(func.min(col(SegmentDue.due_at))).where(
        col(SegmentDue.segment_id) == segment.id, col(SegmentDue.due_at) <= now
    )
    members = (
        select(func.count())
        .select_from(SegmentMember)
        .where(col(SegmentMember.segment_id) == segment.id)
    )
    is_built = state is not None and state.built == state.wanted
    waits = segment.updated_at if not is_built else None
    rows = await tx.execute(
        select(
            members.scalar_subquery(),
            func.least(touched.scalar_subquery(), due.scalar_subquery(), waits),
        )
    )
    number, oldest = plain(rows)[0]
    return MembershipOut(
        members=number,
        is_built=is_built,
        built_at=None if state is None else state.built_at,
        lag_seconds=0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()),
    )


async def list_segments_of(tx: ReadTx, person_id: UUID) -> list[SegmentOfPersonOut]:
    """Return the segments that a person is in, as membership is kept. Raises `ContactUnknown`."""
    people = sql.person
    found = await tx.scalar(
        select(people.c.id).where(people.c.id == person_id, ~people.c.is_erased)
    )
    if found is None:
        raise ContactUnknown("It was never there, or it was erased")
    rows = await tx.execute(
        select(col(Segment.id).label("segment_id"), col(Segment.name), col(SegmentMember.since))
        .join(SegmentMember, col(SegmentMember.segment_id) == col(Segment.id))
        .where(col(SegmentMember.person_id) == person_id, col(Segment.is_active))
        .order_by(col(Segment.id))
    )
    return [SegmentOfPersonOut.model_validate(row) for row in rows]


async def list_referring(tx: ReadTx, segment_id: UUID) -> list[Segment]:
    """Return the segments whose conditions name this one."""
    rows = await tx.scalars(
        select(Segment)
        .join(SegmentReference, col(SegmentReference.segment_id) == col(Segment.id))
        .where(col(SegmentReference.refers_to) == segment_id, col(Segment.is_active))
        .order_by(col(Segment.id))
    )
    return list(rows)


async def preview(tx: ReadTx, condition: Node) -> PreviewOut:
    """Return whom a condition would hold for, without keeping anything.

    Raises:
        ConditionTooCostly: the planner foresees too much work.
    """
    resolved = await resolve(tx, condition)
    cost = await check_cost(tx, sql.members(resolved, now=tx.clock.now()))
    await bound_time(tx)
    sample, _ = await list_members(tx, resolved, cursor=None, limit=SAMPLE)
    return PreviewOut(
        count=await count_members(tx, resolved),
        sample=sample,
        in_words=describe(condition),
        cost=cost,
    )


async def count_members(tx: ReadTx, condition: Node) -> int:
    """Return how many people a condition holds for now."""
    found = sql.members(condition, now=tx.clock.now()).subquery()
    return int(await tx.scalar(select(func.count()).select_from(found)))


async def count_segment(tx: ReadTx, segment: Segment) -> CountOut:
    """Return how many are in a segment now; from the kept membership where it is built."""
    condition, kept = await find_kept(tx, segment)
    count = await count_members(tx, condition) if kept is None else await kept.count(tx)
    return CountOut(segment_id=segment.id, count=count, is_kept=kept is not None)


async def list_members(
    tx: ReadTx, condition: Node, *, cursor: str | None, limit: int
) -> tuple[list[MemberOut], str | None]:
    """Return the people a condition holds for, in the order of their ids, and the cursor of the next page."""
    ids = sql.members(condition, now=tx.clock.now())
    after = _read_place(cursor)
    if after is not None:
        ids = ids.where(sql.person.c.id > after)
    return await _page(tx, ids.order_by(sql.person.c.id).limit(limit + 1), limit)


async def list_segment(
    tx: ReadTx, segment: Segment, *, cursor: str | None, limit: int
) -> tuple[list[MemberOut], str | None]:
    """Return a page of those who are in a segment now; from the kept membership where it is built."""
    after = _read_place(cursor)
    condition, kept = await find_kept(tx, segment)
    if kept is None:
        return await list_members(tx, condition, cursor=cursor, limit=limit)
    return await _page(tx, kept.page(after, limit + 1), limit)


def _read_place(cursor: str | None) -> UUID | None:
    found = decode_cursor(cursor, 1)
    if not found:
        return None
    try:
        return UUID(str(found[0]))
    except ValueError as error:
        raise Invalid("cursor: take it from next_cursor of the page before, unchanged") from error


async def _page(tx: ReadTx, ids: Select[Any], limit: int) -> tuple[list[MemberOut], str | None]:
    """Read the names of a page alone: who is on it is found without them."""
    people, found = sql.person, ids.subquery("found")
    wanted = (
        select(people.c.id.label("person_id"), people.c.full_name, people.c.preferred_name)
        .join(found, found.c.id == people.c.id)
        .order_by(people.c.id)
    )
    rows = (await tx.execute(wanted)).all()
    shown = [MemberOut.model_validate(row) for row in rows[:limit]]
    return shown, encode_cursor(shown[-1].person_id) if len(rows) > limit else None


def _outline(node: Node, depth: int = 0) -> list[tuple[int, Node]]:
    below = [found for part in parts_of(node) for found in _outline(part, depth + 1)]
    return [(depth, node), *below]


async def explain(tx: ReadTx, condition: Node, person_id: UUID) -> ExplanationOut:
    """Return clause by clause whether it holds for a person, and by which facts. Raises `ContactUnknown`."""
    outline = _outline(condition)
    now = tx.clock.now()
    columns = [
        sql.clause(node, now=now).label(f"c{place}") for place, (_, node) in enumerate(outline)
    ] + [sql.facts_of(node, now=now).label(f"f{place}") for place, (_, node) in enumerate(outline)]
    row = (
        await tx.execute(
            select(*columns).where(sql.person.c.id == person_id, ~sql.person.c.is_erased)
        )
    ).first()
    if row is None:
        raise ContactUnknown("It was never there, or it was erased")
    clauses = [
        ClauseOut(
            depth=depth,
            clause=describe(node) if depth else _head(node),
            holds=bool(holds),
            facts=facts,
        )
        for (depth, node), holds, facts in zip(
            outline, row[: len(outline)], row[len(outline) :], strict=True
        )
    ]
    return ExplanationOut(person_id=person_id, is_member=clauses[0].holds, clauses=clauses)


def _head(node: Node) -> str:
    if isinstance(node, All):
        return "all of"
    if isinstance(node, AnyOf):
        return "any of"
    return describe(node)
