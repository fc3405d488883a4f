"""What campaigns ask: whom a segment would reach, and an audience as it is at a launch."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Table,
    Text,
    Uuid,
    case,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from contacts_svc.base import table_of
from contacts_svc.permissions import decide_sql
from contacts_svc.segments import compile as sql
from contacts_svc.segments import events, queries
from contacts_svc.segments.conditions import Node, describe
from contacts_svc.segments.costs import give_room
from contacts_svc.segments.model import PAGE, FrozenAudience, FrozenPage, Segment, ToldPage
from kantis_contracts.campaign import AudienceRequest, PreflightRequest
from kantis_kit.tx import Tx

MAX_BECAUSE = 10
_SHORT = 120
PAGES_AT_ONCE = 10
_audience: Table = table_of(FrozenAudience)
_page: Table = table_of(FrozenPage)


async def answer_preflights(tx: Tx, requests: Sequence[PreflightRequest]) -> None:
    """Count whom each campaign would reach now, and say it."""
    for request in requests:
        segment = await queries.find_segment(tx, request.segment_id)
        if segment is None:
            tx.stage(events.reach_unknown(request))
            continue
        condition = await queries.condition_of(tx, segment)
        audience = await queries.audience_of(tx, condition, request)
        await give_room(tx)
        channels, groups = await queries.count_reach(tx, audience.kept, request)
        tx.stage(
            events.reach_counted(
                request,
                segment,
                await queries.measure(tx, audience, request),
                [exclusion for exclusion, _ in audience.left_out],
                channels=channels,
                groups=groups,
                washes=await queries.list_washes(tx, request),
            )
        )


async def freeze_audiences(tx: Tx, requests: Sequence[AudienceRequest]) -> None:
    """Freeze the segment of each launch, once per launch, and tell its members with the clauses that put them there.

    The database writes the audience by itself; it is told page by page, so that its size costs no memory. A launch of
    a segment that is not there, or in which nobody can be reached, is refused.
    """
    for request in requests:
        await _freeze(tx, request, await queries.find_segment(tx, request.segment_id))


async def _freeze(tx: Tx, request: AudienceRequest, segment: Segment | None) -> None:
    audience = FrozenAudience(
        launch_id=request.launch_id,
        campaign_id=request.campaign_id,
        segment_id=request.segment_id,
        segment_name=segment.name if segment else "",
        condition=segment.condition if segment else {},
        channel=request.channel.value,
        purpose=request.purpose.value,
        total=0,
        frozen_at=tx.clock.now(),
    )
    mine = await tx.scalar(
        insert(_audience)
        .values(**audience.model_dump())
        .on_conflict_do_nothing()
        .returning(_audience.c.launch_id)
    )
    if mine is None:
        return  # frozen and told by an earlier delivery
    if segment is None:
        tx.stage(events.audience_refused(audience, "unknown_segment"))
        return
    audience.total = await write_pages(tx, request, segment)
    if not audience.total:
        tx.stage(events.audience_refused(audience, "empty"))
        return
    async for pages in told_pages(tx, audience):
        for page in pages:
            tx.stage(events.audience_frozen(audience, page, request.channels))
        await tx.seal()  # the pages leave our memory


async def write_pages(tx: Tx, request: AudienceRequest, segment: Segment) -> int:
    """Have the database write who is reached now, in pages; return how many they are.

    Beside each person stands, as the bits of a number, which clauses hold for them; where all hold for everybody,
    nothing does.
    """
    await give_room(tx)
    context = await decide_sql.load(tx)
    now = context.at
    condition = await queries.condition_of(tx, segment)
    clauses = queries.reasons(condition)[:MAX_BECAUSE]
    audience = await queries.audience_of(tx, condition, request)
    kept = sql.clause(audience.kept, now=now, sweep=True)
    place = func.row_number().over(order_by=sql.person.c.id) - 1
    # Whole numbers are divided as such: `//` would work with fractions and round each of them.
    page = place.op("/", precedence=8, return_type=BigInteger())(literal(PAGE, Integer())).cast(
        Integer
    )
    columns = (sql.person.c.id, page.label("page"), _mask(clauses, now).label("mask"))
    if request.channels:
        routes = sql.routes(
            context, [queries.about_of(request, one) for one in request.channels], kept
        )
        chosen = routes.with_person(*columns, routes.spelled.label("route"))
    else:
        sheet = sql.Sheet(context, queries.about_of(request, request.channel), kept)
        chosen = sheet.reached(*columns, literal("", Text()).label("route"))
    found = chosen.subquery()
    masks: ColumnElement[Any] = func.array_agg(
        aggregate_order_by(found.c.mask, found.c.id), type_=ARRAY(Integer())
    )
    if all(is_certain for _, is_certain in clauses):
        masks = literal([], ARRAY(Integer()))
    spelled: ColumnElement[Any] = literal([], ARRAY(Text()))
    if request.channels:
        spelled = func.array_agg(aggregate_order_by(found.c.route, found.c.id), type_=ARRAY(Text()))
    written = (
        insert(_page)
        .from_select(
            ["launch_id", "page", "person_ids", "masks", "routes"],
            select(
                literal(request.launch_id, Uuid()),
                found.c.page,
                func.array_agg(aggregate_order_by(found.c.id, found.c.id), type_=ARRAY(Uuid())),
                masks,
                spelled,
            ).group_by(found.c.page),
        )
        .returning(func.cardinality(_page.c.person_ids).label("persons"))
        .cte("written")
    )
    total = int(await tx.scalar(select(func.coalesce(func.sum(written.c.persons), 0))))
    await tx.execute(
        _audience.update()
        .where(_audience.c.launch_id == request.launch_id)
        .values(total=total, clauses=[describe(node)[:_SHORT] for node, _ in clauses])
    )
    return total


def _mask(clauses: Sequence[tuple[Node, bool]], now: datetime) -> ColumnElement[int]:
    """Return which clauses hold as the bits of a number; those that hold for everybody are not asked again."""
    certain = sum(1 << place for place, (_, is_certain) in enumerate(clauses) if is_certain)
    mask: ColumnElement[int] = literal(certain, Integer())
    for place, (node, is_certain) in enumerate(clauses):
        if not is_certain:
            mask = mask + case((sql.clause(node, now=now, sweep=True), 1 << place), else_=0)
    return mask


async def told_pages(tx: Tx, audience: FrozenAudience) -> AsyncIterator[list[ToldPage]]:
    """Read a frozen audience some pages at a time: so few that its size costs no memory."""
    first = 0
    while pages := await queries.read_told(tx, audience.launch_id, first, PAGES_AT_ONCE):
        yield pages
        first += PAGES_AT_ONCE
