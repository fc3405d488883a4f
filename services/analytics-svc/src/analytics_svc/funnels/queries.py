"""Funnels: counted from the facts themselves, within bounds, as no roll-up can know which sequence will be asked for.

Of a step those facts are reached that lie strictly after one of the step before that is reached, and within the window. The
latest one before is the best of them: it lies nearest, and goes back to the latest first step. So one walk over each person's
facts in the order of time is enough for a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from analytics_svc.campaigns.queries import rate
from analytics_svc.facts.model import CampaignCard, CellCard, FactRow
from analytics_svc.funnels.errors import FunnelTooBig
from analytics_svc.funnels.schemas import (
    MARKS,
    Funnel,
    FunnelLine,
    GroupBy,
    Happening,
    Step,
    WindowOf,
)
from analytics_svc.settings import AnalyticsSettings
from kantis_kit.tx import ReadTx

_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CANCELLED_QUERY = "57014"
MOST_GROUPS = 200
_OF = {
    GroupBy.CAMPAIGN: col(FactRow.campaign_id),
    GroupBy.CELL: col(FactRow.cell_id),
    GroupBy.CHANNEL: col(FactRow.channel),
}


@dataclass(frozen=True, slots=True)
class _Span:
    since: int
    until: int
    """Moments in microseconds since 1970, the second one excluded."""


def _group_of(group_by: GroupBy | None) -> ColumnElement[str]:
    if group_by is None:
        return literal("", Text)
    return func.coalesce(cast(_OF[group_by], Text), "")


def _mark(name: str, place: int) -> ColumnElement[int]:
    return cast(col(FactRow.marks)[name][place].astext, BigInteger)


def _taken(step: Step, group_by: GroupBy | None, span: _Span) -> CTE:
    """Return the facts of a step: whose, of which group, and when."""
    kinds, mark = MARKS[step.happening]
    at = _mark(mark, 1)
    marks: Any = col(FactRow.marks)
    wanted = [
        col(FactRow.kind).in_(kinds),
        col(FactRow.is_twin).is_(False),
        col(FactRow.person_id).is_not(None),
        marks.has_key(mark),
        at >= span.since,
        at < span.until,
    ]
    if kinds == ("order",):
        wanted.append(~marks.has_key("cancelled"))
    if step.happening is Happening.PAID:
        # The bank may have taken the money back since.
        wanted.append(
            or_(~marks.has_key("unpaid"), marks["unpaid"][0] <= marks["paid"][0]),
        )
    if step.campaign_id is not None:
        wanted.append(col(FactRow.campaign_id) == step.campaign_id)
    if step.cell_id is not None:
        wanted.append(col(FactRow.cell_id) == step.cell_id)
    if step.channel is not None:
        wanted.append(col(FactRow.channel) == step.channel.value)
    if step.label:
        label = col(FactRow.label)
        wanted.append(or_(label == step.label, label.startswith(f"{step.label}/", autoescape=True)))
    if step.currency:
        wanted.append(col(FactRow.currency) == step.currency)
    if step.at_least_minor is not None:
        wanted.append(_mark(mark, 2) >= step.at_least_minor)
    group = _group_of(group_by).label("grp")
    return (
        select(col(FactRow.person_id).label("person_id"), group, at.label("at"))
        .where(*wanted)
        .distinct()
        .cte()
    )


def _first(taken: CTE) -> CTE:
    c = taken.c
    return select(c.person_id, c.grp, c.at, c.at.label("start"), c.at.label("before")).cte()


def _next(reached: CTE, taken: CTE, window: int, of: WindowOf) -> CTE:
    """Return what is reached of a step, given what is of the one before."""
    whose = select(reached.c.person_id, reached.c.grp).distinct().subquery()
    none = cast(null(), BigInteger)
    # A fact of no campaign, cell or channel may belong to any.
    mine = and_(
        taken.c.person_id == whose.c.person_id,
        or_(taken.c.grp == whose.c.grp, taken.c.grp == ""),
    )
    both = union_all(
        select(
            reached.c.person_id, reached.c.grp, reached.c.at, reached.c.start, reached.c.at.label("before"),
            literal(0).label("is_new"),
        ),
        select(whose.c.person_id, whose.c.grp, taken.c.at, none, none, literal(1)).join(whose, mine).distinct(),
    ).subquery()  # fmt: skip
    earlier: dict[str, Any] = {
        "partition_by": (both.c.person_id, both.c.grp),
        "order_by": both.c.at,
        "range_": (None, -1),  # strictly before
    }
    walked = select(
        both.c.person_id,
        both.c.grp,
        both.c.at,
        both.c.is_new,
        func.max(both.c.start).over(**earlier).label("start"),
        func.max(both.c.before).over(**earlier).label("before"),
    ).subquery()
    since = walked.c.start if of is WindowOf.FUNNEL else walked.c.before
    return (
        select(walked.c.person_id, walked.c.grp, walked.c.at, walked.c.start, walked.c.before)
        .where(walked.c.is_new == 1, walked.c.at - since <= window)
        .cte()
    )


def _counted(number: int, reached: CTE) -> Select[Any]:
    c = reached.c
    first = (
        select(c.grp, (c.at - c.before).label("took"))
        .ext(distinct_on(c.person_id, c.grp))
        .order_by(c.person_id, c.grp, c.at)
        .subquery()
    )
    return select(
        literal(number).label("step"),
        first.c.grp,
        func.count().label("people"),
        func.percentile_cont(0.5).within_group(first.c.took).label("took"),
    ).group_by(first.c.grp)


def _statement(funnel: Funnel, since: date, until: date) -> CompoundSelect[Any]:
    window = funnel.window_days * _DAY
    begin = _moment(since)
    end = _moment(until) + _DAY
    reached = _first(_taken(funnel.steps[0], funnel.group_by, _Span(begin, end)))
    counted = [_counted(1, reached)]
    for number, step in enumerate(funnel.steps[1:], start=2):
        reach = window * (number - 1 if funnel.window_of is WindowOf.STEP else 1)
        taken = _taken(step, funnel.group_by, _Span(begin, end + reach))
        reached = _next(reached, taken, window, funnel.window_of)
        counted.append(_counted(number, reached))
    return union_all(*counted)


def _moment(day: date) -> int:
    return (datetime.combine(day, time(), UTC) - _EPOCH) // timedelta(microseconds=1)


async def count_funnel(tx: ReadTx, funnel: Funnel, since: date, until: date) -> list[FunnelLine]:
    """Return how many people came how far, of those whose first step lies in these days; the largest groups first.

    Raises:
        FunnelTooBig: it took longer than the settings allow.
    """
    usual = await tx.scalar(select(func.current_setting("statement_timeout")))
    await _bound(tx, str(tx.settings(AnalyticsSettings).funnel_timeout_ms))
    try:
        rows = (await tx.execute(_statement(funnel, since, until))).all()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != _CANCELLED_QUERY:
            raise
        raise FunnelTooBig(
            "There are too many facts to count in the time there is; ask for fewer days, or name the campaign_id"
            " or the channel of the first step"
        ) from error
    await _bound(tx, usual)
    found = {(row.grp, row.step): row for row in rows}
    firsts = [row for row in rows if row.step == 1]
    groups = [row.grp for row in sorted(firsts, key=lambda row: (-row.people, row.grp))]
    if funnel.group_by is None:
        groups = groups or [""]
    groups = groups[:MOST_GROUPS]
    names = await _names(tx, funnel.group_by, groups)
    return [line for one in groups for line in _lines(funnel, one, names.get(one, ""), found)]


async def _bound(tx: ReadTx, limit: str) -> None:
    await tx.execute(select(func.set_config("statement_timeout", limit, True)))  # noqa: FBT003 - is_local


def _lines(
    funnel: Funnel, group: str, name: str, found: dict[tuple[str, int], Any]
) -> list[FunnelLine]:
    lines: list[FunnelLine] = []
    for number, step in enumerate(funnel.steps, start=1):
        row = found.get((group, number))
        people = row.people if row else 0
        lines.append(
            FunnelLine(
                group=group,
                group_name=name,
                step=number,
                happening=step.happening,
                people=people,
                first_rate=rate(people, lines[0].people) if lines else None,
                previous_rate=rate(people, lines[-1].people) if lines else None,
                median_seconds=row.took / 1_000_000 if row and number > 1 else None,
            )
        )
    return lines


async def _names(tx: ReadTx, group_by: GroupBy | None, groups: Sequence[str]) -> dict[str, str]:
    if group_by not in (GroupBy.CAMPAIGN, GroupBy.CELL):
        return {}
    ids = [UUID(one) for one in groups if one]
    if group_by is GroupBy.CAMPAIGN:
        key, name = col(CampaignCard.campaign_id), col(CampaignCard.name)
    else:
        key, name = col(CellCard.cell_id), col(CellCard.name)
    rows = await tx.execute(select(key.label("id"), name.label("name")).where(key.in_(ids)))
    return {str(row.id): row.name for row in rows}
