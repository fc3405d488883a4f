"""Reads of segments: who is in them, how many, and why."""

from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, case, func, literal, not_, select
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.segments import compile as sql
from contacts_svc.segments.conditions import All, AnyOf, Condition, Node, describe, parts_of
from contacts_svc.segments.errors import SegmentUnknown
from contacts_svc.segments.model import Segment
from contacts_svc.segments.schemas import ClauseOut, ExplanationOut, MemberOut, SegmentOut
from kantis_contracts.campaign import PreflightRequest
from kantis_contracts.contacts import ChannelReach
from kantis_contracts.values import Channel, Purpose
from kantis_kit.errors import Invalid
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.paging import decode_cursor, encode_cursor

_CONDITION: TypeAdapter[Node] = TypeAdapter(Condition)


def parse(stored: object) -> Node:
    """Return the tree that was stored."""
    return _CONDITION.validate_python(stored)


def segment_out(segment: Segment) -> SegmentOut:
    """Shape a segment for the API."""
    return SegmentOut(**segment.model_dump(), in_words=describe(parse(segment.condition)))


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


async def count_members(tx: ReadTx, condition: Node) -> int:
    """Return how many people a condition holds for now."""
    found = sql.members(condition, now=tx.clock.now()).subquery()
    return int(await tx.scalar(select(func.count()).select_from(found)))


async def list_members(
    tx: ReadTx, condition: Node, *, cursor: str | None, limit: int
) -> tuple[list[MemberOut], str | None]:
    """Return the people a condition holds for, in the order of their ids, and the cursor of the next page."""
    people = sql.person
    wanted = sql.members(condition, now=tx.clock.now()).with_only_columns(
        people.c.id.label("person_id"), people.c.full_name, people.c.preferred_name
    )
    after = decode_cursor(cursor, 1)
    if after:
        try:
            wanted = wanted.where(people.c.id > UUID(str(after[0])))
        except ValueError as error:
            raise Invalid(
                "cursor: take it from next_cursor of the page before, unchanged"
            ) from error
    rows = (await tx.execute(wanted.order_by(people.c.id).limit(limit + 1))).all()
    shown = [MemberOut.model_validate(row) for row in rows[:limit]]
    return shown, encode_cursor(shown[-1].person_id) if len(rows) > limit else None


def _outline(node: Node, depth: int = 0) -> list[tuple[int, Node]]:
    below = [found for part in parts_of(node) for found in _outline(part, depth + 1)]
    return [(depth, node), *below]


async def explain(tx: ReadTx, condition: Node, person_id: UUID) -> ExplanationOut:
    """Return clause by clause whether it holds for a person. Raises `ContactUnknown`."""
    outline = _outline(condition)
    now = tx.clock.now()
    columns = [
        sql.clause(node, now=now).label(f"c{place}") for place, (_, node) in enumerate(outline)
    ]
    row = (
        await tx.execute(
            select(*columns).where(sql.person.c.id == person_id, ~sql.person.c.is_erased)
        )
    ).first()
    if row is None:
        raise ContactUnknown("It was never there, or it was erased")
    clauses = [
        ClauseOut(depth=depth, clause=describe(node) if depth else _head(node), holds=bool(holds))
        for (depth, node), holds in zip(outline, row, strict=True)
    ]
    return ExplanationOut(person_id=person_id, is_member=clauses[0].holds, clauses=clauses)


def _head(node: Node) -> str:
    if isinstance(node, All):
        return "all of"
    if isinstance(node, AnyOf):
        return "any of"
    return describe(node)


async def count_reach(tx: ReadTx, condition: Node, request: PreflightRequest) -> list[ChannelReach]:
    """Return per channel how many would be reached and why others would not; each is counted under one reason."""
    return [await _reach(tx, condition, channel, request.purpose) for channel in request.channels]


async def _reach(tx: ReadTx, condition: Node, channel: Channel, purpose: Purpose) -> ChannelReach:
    reason = case(
        (not_(sql.has_address(channel)), literal("no_address")),
        (not_(sql.may_be_contacted(channel, purpose)), literal("no_permission")),
        (sql.is_undeliverable(channel), literal("undeliverable")),
        else_=literal(""),
    ).label("reason")
    judged = sql.members(condition, now=tx.clock.now()).with_only_columns(reason).subquery()
    rows = await tx.execute(select(judged.c.reason, func.count()).group_by(judged.c.reason))
    counted = {str(name): int(number) for name, number in plain(rows)}
    return ChannelReach(channel=channel, reachable=counted.pop("", 0), excluded=counted)


async def count_nameless(tx: ReadTx, condition: Node) -> int:
    """Return how many members have not said what they want to be called."""
    nameless = (
        sql.members(condition, now=tx.clock.now())
        .where(sql.person.c.preferred_name == "")
        .subquery()
    )
    return int(await tx.scalar(select(func.count()).select_from(nameless)))


async def count_duplicates(tx: ReadTx, condition: Node) -> int:
    """Return how many members look like another one: the same name at the same street and postal code."""
    people = sql.person
    alike = (
        sql.members(condition, now=tx.clock.now())
        .with_only_columns((func.count() - 1).label("further"))
        .where(people.c.full_name != "", people.c.postal_code != "")
        .group_by(func.lower(people.c.full_name), func.lower(people.c.street), people.c.postal_code)
        .having(func.count() > 1)
        .subquery()
    )
    return int(await tx.scalar(select(func.coalesce(func.sum(alike.c.further), 0))))


def reachable(
    condition: Node, channel: Channel, purpose: Purpose, *, now: datetime
) -> ColumnElement[bool]:
    """Return what holds for members that a channel may and can reach for a purpose."""
    return and_(
        ~sql.person.c.is_erased,
        sql.clause(condition, now=now),
        sql.has_address(channel),
        sql.may_be_contacted(channel, purpose),
        not_(sql.is_undeliverable(channel)),
    )


def reasons(condition: Node) -> list[Node]:
    """Return the clauses of which a frozen member is told which hold: leaves, and what is negated as a whole."""
    if isinstance(condition, All | AnyOf):
        return [leaf for part in condition.of for leaf in reasons(part)]
    return [condition]
