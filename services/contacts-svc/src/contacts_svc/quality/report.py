"""How good the data of a segment, or of everybody, is: what a campaign asks before it is launched."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlmodel import col

from contacts_svc.base import plain, table_of
from contacts_svc.people.missing import lacks
from contacts_svc.people.model import Person
from contacts_svc.people.schemas import Missing
from contacts_svc.quality.kinds import PairState
from contacts_svc.quality.model import DuplicateDue, DuplicatePair
from contacts_svc.quality.rules import LIKELY
from contacts_svc.quality.schemas import QualityReportOut, RegisterStateOut
from contacts_svc.scores.model import QualityScore
from contacts_svc.segments import compile as sql
from contacts_svc.segments import queries as segments
from contacts_svc.segments.costs import bound_time
from contacts_svc.washing.queries import list_registers
from kantis_kit.tx import ReadTx

LOW_SCORE = 50
"""Below this many percent the data of a person count as poor."""
_PARTS = ("score", "completeness", "validity", "reachability", "freshness")
_MISSING = (Missing.PREFERRED_NAME, Missing.EMAIL, Missing.PHONE, Missing.STREET)


async def get_report(tx: ReadTx, segment_id: UUID | None) -> QualityReportOut:
    """Return what is known of the data of those whom a segment holds, or of everybody.

    Raises:
        SegmentUnknown: there is none with this id.
    """
    await bound_time(tx)
    members = await _members(tx, segment_id)
    missing = await _count_missing(tx, members)
    scores = await _scores(tx, members)
    pairs, people = await _count_duplicates(tx, members)
    waiting = select(func.count()).where(col(DuplicateDue.person_id).in_(members))
    return QualityReportOut(
        segment_id=segment_id,
        people=missing.pop(""),
        missing=missing,
        **scores,
        likely_duplicates=pairs,
        people_with_duplicates=people,
        not_yet_compared=int(await tx.scalar(waiting)),
        registers=[
            RegisterStateOut(
                key=one.key,
                country=one.country,
                channels=one.channels,
                washed_on=one.washed_on,
                due_on=one.due_on,
                is_recent=one.is_recent,
            )
            for one in await list_registers(tx)
        ],
    )


async def _members(tx: ReadTx, segment_id: UUID | None) -> Select[Any]:
    if segment_id is None:
        return select(col(Person.id)).where(~col(Person.is_erased))
    segment = await segments.get_segment(tx, segment_id)
    condition = await segments.condition_of(tx, segment)
    return sql.members(condition, now=tx.clock.now()).with_only_columns(sql.person.c.id)


async def _count_missing(tx: ReadTx, members: Select[Any]) -> dict[str, int]:
    """Return how many lack what; under the empty name, how many there are."""
    counts = [func.count(), *(func.count().filter(lacks(one)) for one in _MISSING)]
    rows = plain(
        await tx.execute(select(*counts).select_from(Person).where(col(Person.id).in_(members)))
    )
    return dict(zip(("", *(one.value for one in _MISSING)), map(int, rows[0]), strict=True))


async def _scores(tx: ReadTx, members: Select[Any]) -> dict[str, Any]:
    means = [func.round(func.avg(col(getattr(QualityScore, name)))) for name in _PARTS]
    rows = plain(
        await tx.execute(
            select(
                func.count(),
                func.count().filter(col(QualityScore.score) < LOW_SCORE),
                func.min(col(QualityScore.scored_at)),
                *means,
            ).where(col(QualityScore.person_id).in_(members))
        )
    )
    scored, low, oldest, *parts = rows[0]
    named = {
        name: None if value is None else int(value)
        for name, value in zip(_PARTS, parts, strict=True)
    }
    return {"scored": scored, "low_scores": low, "oldest_score_at": oldest, **named}


async def _count_duplicates(tx: ReadTx, members: Select[Any]) -> tuple[int, int]:
    """Return how many pairs wait for a decision of which both are members, and how many people are in them."""
    pair = table_of(DuplicatePair)
    chosen = members.cte("member")
    ids = select(chosen.c[0])
    both = (
        select(pair.c.one_id, pair.c.other_id)
        .where(
            pair.c.state == PairState.OPEN.value,
            pair.c.score >= LIKELY,
            pair.c.one_id.in_(ids),
            pair.c.other_id.in_(ids),
        )
        .cte("both")
    )
    everybody = select(both.c.one_id).union(select(both.c.other_id)).subquery()
    rows = plain(
        await tx.execute(
            select(
                select(func.count()).select_from(both).scalar_subquery(),
                select(func.count()).select_from(everybody).scalar_subquery(),
            )
        )
    )
    return int(rows[0][0]), int(rows[0][1])
