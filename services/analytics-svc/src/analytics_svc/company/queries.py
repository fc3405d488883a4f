"""Reports of the whole house: every one reads sums per month or day, never facts or people."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Date, RowMapping, Select, cast, func, select
from sqlmodel import col

from analytics_svc.campaigns.queries import rate
from analytics_svc.company.schemas import (
    CohortMonth,
    LeadMonth,
    ListMonth,
    LostPost,
    RepeatPurchase,
    ReturnedPost,
    Satisfaction,
    ServiceLevel,
)
from analytics_svc.facts.model import SurveyCard, cohort_sum, house_tally, repeat_sum
from kantis_kit.tx import ReadTx
from kantis_kit.web.schemas import Out

_LOW, _HIGH, _CSAT = 6, 9, range(1, 6)
_REFUSAL = "refusal"


async def _all(tx: ReadTx, statement: Select[*tuple[Any, ...]]) -> Sequence[RowMapping]:
    return (await tx.execute(statement)).mappings().all()


async def list_cohorts(
    tx: ReadTx, since: date, until: date, currency: str | None
) -> list[CohortMonth]:
    """Return what the cohorts of these months did in every month since."""
    cohort = cohort_sum.c
    wanted = select(cohort_sum).where(
        cohort.cohort.between(since.replace(day=1), until),
        (cohort.buyers != 0) | (cohort.paid_minor != 0) | (cohort.returned_minor != 0),
        *([cohort.currency == currency] if currency else []),
    )
    rows = await _all(tx, wanted.order_by(cohort.currency, cohort.cohort, cohort.month))
    sizes = await _sizes(tx, since, until)
    return [
        CohortMonth(
            **row,
            months_since=(row["month"].year - row["cohort"].year) * 12
            + row["month"].month
            - row["cohort"].month,
            size=sizes[row["currency"], row["cohort"]],
            retention_rate=rate(row["buyers"], sizes[row["currency"], row["cohort"]]),
        )
        for row in rows
    ]


async def _sizes(tx: ReadTx, since: date, until: date) -> Mapping[tuple[str, date], int]:
    found = repeat_sum.c
    rows = await _all(
        tx,
        select(repeat_sum).where(found.nth == 1, found.cohort.between(since.replace(day=1), until)),
    )
    return Counter({(row["currency"], row["cohort"]): row["buyers"] for row in rows})


async def list_repeat_purchases(
    tx: ReadTx, since: date, until: date, currency: str | None
) -> list[RepeatPurchase]:
    """Return how far the buyers of these cohorts came."""
    found = repeat_sum.c
    wanted = select(repeat_sum).where(
        found.buyers != 0,
        found.cohort.between(since.replace(day=1), until),
        *([found.currency == currency] if currency else []),
    )
    rows = await _all(tx, wanted.order_by(found.currency, found.cohort, found.nth))
    before = {(row["currency"], row["cohort"], row["nth"]): row["buyers"] for row in rows}
    return [
        RepeatPurchase(
            **row,
            repeat_rate=rate(row["buyers"], before[row["currency"], row["cohort"], row["nth"] - 1])
            if row["nth"] > 1
            else None,
        )
        for row in rows
    ]


def _month() -> ColumnElement[date]:
    return cast(func.date_trunc("month", cast(house_tally.c.day, Date)), Date)


async def _months(tx: ReadTx, measures: Iterable[str], since: date, until: date) -> list[Any]:
    """Return sums per month, measure, label and currency, in that order."""
    tally, month = house_tally.c, _month().label("month")
    value = cast(func.sum(tally.value), BigInteger).label("value")
    rows = await tx.execute(
        select(month, tally.measure, tally.label, tally.currency, value)
        .where(tally.measure.in_(list(measures)), tally.day.between(since, until))
        .group_by(month, tally.measure, tally.label, tally.currency)
        .having(func.sum(tally.value) != 0)
        .order_by(month, tally.label, tally.measure, tally.currency)
    )
    return list(rows)


async def list_growth(tx: ReadTx, since: date, until: date) -> list[ListMonth]:
    """Return who came on the lists and who left them in the months of the span, and how long the lists were."""
    tally = house_tally.c
    before = await tx.execute(
        select(
            tally.label,
            tally.measure,
            cast(func.sum(tally.value), BigInteger).label("value"),
        )
        .where(tally.measure.in_(("joined", "left")), tally.day < since)
        .group_by(tally.label, tally.measure)
    )
    people: Counter[str] = Counter()
    for row in before:
        people[row.label] += row.value if row.measure == "joined" else -row.value
    moves: dict[date, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in await _months(tx, ("joined", "left"), since, until):
        moves[row.month][row.label][row.measure] += row.value
    found = []
    month = since.replace(day=1)
    while month <= until:
        for label in sorted(people.keys() | moves[month].keys()):
            moved = moves[month][label]
            people[label] += moved["joined"] - moved["left"]
            channel, _, purpose = label.partition("/")
            found.append(
                ListMonth(
                    month=month, channel=channel, purpose=purpose, joined=moved["joined"], left=moved["left"],
                    people=people[label],
                )
            )  # fmt: skip
        month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    return found


async def list_lead_months(tx: ReadTx, since: date, until: date) -> list[LeadMonth]:
    """Return the leads per form and month."""
    return [
        LeadMonth(month=row.month, form_key=row.label, leads=row.value)
        for row in await _months(tx, ("leads",), since, until)
    ]


async def list_satisfaction(tx: ReadTx, since: date, until: date) -> list[Satisfaction]:
    """Return what was scored per month, survey and question."""
    scores: dict[tuple[date, str, str], Counter[int]] = defaultdict(Counter)
    for row in await _months(tx, ("scored",), since, until):
        survey, question, score = row.label.split("/", 2)
        scores[row.month, survey, question][int(score)] += row.value
    cards: Iterable[SurveyCard] = await tx.scalars(
        select(SurveyCard).where(
            col(SurveyCard.survey_id).in_({UUID(survey) for _, survey, _ in scores})
        )
    )
    names = {card.survey_id: card.name for card in cards}
    return [
        Satisfaction(
            month=month, survey_id=UUID(survey), survey_name=names.get(UUID(survey), ""), question=question,
            answers=found.total(), mean=sum(score * n for score, n in found.items()) / found.total(), nps=_nps(found),
        )
        for (month, survey, question), found in sorted(scores.items())
    ]  # fmt: skip


def _nps(found: Counter[int]) -> float | None:
    if all(score in _CSAT for score in found):
        return None
    balance = sum(n * ((score >= _HIGH) - (score <= _LOW)) for score, n in found.items())
    return 100 * balance / found.total()


async def list_service_levels(tx: ReadTx, since: date, until: date) -> list[ServiceLevel]:
    """Return per month and kind how many answers had their next step in time; a refusal waits for none."""
    found: dict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    for row in await _months(tx, ("responded", "missed"), since, until):
        found[row.month, row.label.partition("/")[0]][row.measure] += row.value
    return [
        ServiceLevel(
            month=month, kind=kind, promised=sums["responded"], missed=sums["missed"],
            in_time_rate=rate(sums["responded"] - sums["missed"], sums["responded"]),
        )
        for (month, kind), sums in sorted(found.items())
        if kind != _REFUSAL
    ]  # fmt: skip


async def list_returned_post(tx: ReadTx, since: date, until: date) -> list[ReturnedPost]:
    """Return what the post brought back, per month, kind and reason."""
    return [
        ReturnedPost(
            month=row.month,
            kind=row.label.partition("/")[0],
            reason=row.label.partition("/")[2],
            pieces=row.value,
        )
        for row in await _months(tx, ("post_returned",), since, until)
    ]


async def list_lost_post(tx: ReadTx, since: date, until: date) -> list[LostPost]:
    """Return what the pieces had cost that came back."""
    return [
        LostPost(month=row.month, channel=row.label, currency=row.currency, lost_minor=row.value)
        for row in await _months(tx, ("lost_minor",), since, until)
    ]


@dataclass(frozen=True, slots=True)
class Report:
    """A report of the whole house: how its lines are read, what one is like, and what they tell."""

    list_lines: Callable[..., Awaitable[Sequence[Out]]]
    line: type[Out]
    tells: str
    """What follows "Return"."""
    is_of_money: bool = False
    """Whether the lines are read of one currency, if that is wanted."""


REPORTS: Mapping[str, Report] = {
    "cohorts": Report(
        list_cohorts,
        CohortMonth,
        "what the buyers of each month's cohort did in every month since their first order",
        is_of_money=True,
    ),
    "repeat-purchases": Report(
        list_repeat_purchases,
        RepeatPurchase,
        "how many buyers of each cohort ordered once, twice and so on",
        is_of_money=True,
    ),
    "lists": Report(
        list_growth,
        ListMonth,
        "who came on the lists and who left them, and how many people each list has",
    ),
    "lead-months": Report(list_lead_months, LeadMonth, "how many leads each form brought"),
    "satisfaction": Report(
        list_satisfaction, Satisfaction, "what people scored, by survey and question"
    ),
    "service-levels": Report(
        list_service_levels,
        ServiceLevel,
        "how many answers had their next step within two working days",
    ),
    "returned-post": Report(
        list_returned_post, ReturnedPost, "what the post brought back, by kind and reason"
    ),
    "lost-post": Report(
        list_lost_post, LostPost, "what the pieces had cost that the post brought back"
    ),
}
"""The reports, as their paths are called."""
