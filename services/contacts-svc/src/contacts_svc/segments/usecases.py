"""What is done with segments: kept, counted, frozen."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import table_of
from contacts_svc.segments import compile as sql
from contacts_svc.segments import events, queries
from contacts_svc.segments.conditions import Node, describe
from contacts_svc.segments.model import FrozenAudience, Segment
from contacts_svc.segments.schemas import SegmentIn
from kantis_contracts.campaign import AudienceRequest, PreflightRequest
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

MAX_BECAUSE = 10
_SHORT = 120


async def make_segment(tx: Tx, body: SegmentIn) -> Segment:
    """Keep a new segment."""
    now = tx.clock.now()
    segment = Segment(
        id=new_id(),
        name=body.name,
        condition=body.condition.model_dump(mode="json"),
        created_at=now,
        updated_at=now,
    )
    tx.add(segment)
    return segment


def change_segment(tx: Tx, segment: Segment, body: SegmentIn) -> None:
    """Replace a locked segment."""
    segment.name, segment.condition = body.name, body.condition.model_dump(mode="json")
    segment.version, segment.updated_at = segment.version + 1, tx.clock.now()


def close_segment(tx: Tx, segment: Segment) -> None:
    """Close a locked segment; what was frozen from it stays."""
    segment.is_active, segment.version, segment.updated_at = (
        False,
        segment.version + 1,
        tx.clock.now(),
    )


async def answer_preflights(tx: Tx, requests: Sequence[PreflightRequest]) -> None:
    """Count whom each campaign would reach now, and say it."""
    for request in requests:
        segment = await queries.find_segment(tx, request.segment_id)
        if segment is None:
            tx.stage(events.reach_counted(request, None, ()))
            continue
        condition = queries.parse(segment.condition)
        tx.stage(
            events.reach_counted(
                request,
                segment,
                await queries.count_reach(tx, condition, request),
                members=await queries.count_members(tx, condition),
                nameless=await queries.count_nameless(tx, condition),
                duplicates=await queries.count_duplicates(tx, condition),
            )
        )


async def freeze_audiences(tx: Tx, requests: Sequence[AudienceRequest]) -> None:
    """Freeze the segment of each launch, once per launch, and tell its members with the clauses that put them there.

    A launch of a segment that is not there, or in which nobody can be reached, is refused.
    """
    for request in requests:
        await _freeze(tx, request, await queries.find_segment(tx, request.segment_id))


async def _freeze(tx: Tx, request: AudienceRequest, segment: Segment | None) -> None:
    now = tx.clock.now()
    audience = FrozenAudience(
        launch_id=request.launch_id,
        campaign_id=request.campaign_id,
        segment_id=request.segment_id,
        segment_name=segment.name if segment else "",
        condition=segment.condition if segment else {},
        channel=request.channel.value,
        purpose=request.purpose.value,
        total=0,
        frozen_at=now,
    )
    table = table_of(FrozenAudience)
    mine = await tx.scalar(
        insert(table)
        .values(**audience.model_dump())
        .on_conflict_do_nothing()
        .returning(table.c.launch_id)
    )
    if mine is None:
        return  # frozen and told by an earlier delivery
    if segment is None:
        tx.stage(events.audience_refused(audience, "unknown_segment"))
        return
    members = await _members(tx, queries.parse(segment.condition), request, now)
    if not members:
        tx.stage(events.audience_refused(audience, "empty"))
        return
    audience.total = len(members)
    await tx.execute(
        table.update().where(table.c.launch_id == request.launch_id).values(total=len(members))
    )
    await tx.copy(
        "frozen_member",
        ("launch_id", "person_id", "because"),
        [
            (request.launch_id, person_id, orjson.dumps(because).decode())
            for person_id, because in members
        ],
    )
    tx.stage(*events.audience_frozen(audience, members))


async def _members(
    tx: Tx, condition: Node, request: AudienceRequest, now: datetime
) -> list[tuple[UUID, list[str]]]:
    clauses = queries.reasons(condition)[:MAX_BECAUSE]
    words = [describe(node)[:_SHORT] for node in clauses]
    columns = [sql.clause(node, now=now).label(f"c{place}") for place, node in enumerate(clauses)]
    rows = await tx.execute(
        select(sql.person.c.id, *columns)
        .where(queries.reachable(condition, request.channel, request.purpose, now=now))
        .order_by(sql.person.c.id)
    )
    told = [tuple(row) for row in rows]
    return [(row[0], [text for place, text in enumerate(words, 1) if row[place]]) for row in told]
