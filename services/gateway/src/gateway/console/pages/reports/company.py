"""Reports of the house: each with a plot, its lines beside it, and the same as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from starlette.responses import Response

from gateway.console.calls import Json
from gateway.console.page import Page, page
from kantis_kit.errors import NotFound

_DAYS = 364
_MOST_SERIES, MOST_LINES = 12, 500
_MINOR = 100
WORDS = frozenset({"channel", "purpose", "kind", "reason", "happening"})
"""Columns whose values are words of the API; the others hold what people have named."""


@dataclass(frozen=True, slots=True)
class House:
    """A report of the house: its columns, and what of them is drawn."""

    name: str
    title: str
    columns: Sequence[str]
    along: str
    """The column along which it is drawn,"""
    values: Sequence[str]
    """what is drawn,"""
    by: Sequence[str] = ()
    """and by which columns it is told apart."""
    is_line: bool = True


HOUSE: Mapping[str, House] = {
    one.name: one
    for one in (
        House(
            "cohorts", "reports.cohorts",
            ("cohort", "month", "size", "buyers", "orders", "revenue_minor", "paid_minor", "returned_minor", "retention_rate"),
            "months_since", ("buyers",), ("currency", "cohort"),
        ),
        House(
            "repeat-purchases", "reports.repeat_purchases", ("cohort", "currency", "nth", "buyers", "repeat_rate"),
            "nth", ("buyers",), ("currency", "cohort"),
        ),
        House(
            "lists", "reports.lists", ("month", "channel", "purpose", "joined", "left", "people"),
            "month", ("people",), ("channel", "purpose"),
        ),
        House("lead-months", "reports.lead_months", ("month", "form_key", "leads"), "month", ("leads",), ("form_key",), is_line=False),
        House(
            "satisfaction", "reports.satisfaction", ("month", "survey_name", "question", "answers", "mean", "nps"),
            "month", ("mean",), ("survey_name", "question"),
        ),
        House(
            "service-levels", "reports.service_levels", ("month", "kind", "promised", "missed", "in_time_rate"),
            "month", ("promised", "missed"), is_line=False,
        ),
        House(
            "returned-post", "reports.returned_post", ("month", "kind", "reason", "pieces"),
            "month", ("pieces",), ("kind", "reason"), is_line=False,
        ),
        House(
            "lost-post", "reports.lost_post", ("month", "channel", "lost_minor"),
            "month", ("lost_minor",), ("currency", "channel"), is_line=False,
        ),
    )
}  # fmt: skip
"""Reports of the house, by the last part of their paths."""


def _wanted(page: Page) -> tuple[House, dict[str, str]]:
    name = page.params["report"]
    if name not in HOUSE:
        raise NotFound(f"There is no report {name[:80]!r}; there are {', '.join(HOUSE)}")
    until = page.query.get("until", "").strip() or str(page.today)
    try:
        before = date.fromisoformat(until) - timedelta(days=_DAYS)
    except (ValueError, OverflowError):
        before = page.today  # the API says what is wrong with the day
    since = page.query.get("since", "").strip() or str(before)
    return HOUSE[name], {"since": since, "until": until}


def plot_of(house: House, lines: Sequence[Mapping[str, Any]], page: Page) -> Json:
    """Return what is drawn of lines: the latest series only where there are many; amounts in whole units."""
    places = sorted({line[house.along] for line in lines})
    series: dict[str, dict[Any, float]] = {}
    for line in lines:
        told = " · ".join(
            page.t.word(line[name]) if name in WORDS else str(line[name]) for name in house.by
        )
        for name in house.values:
            label = told or page.t(f"reports.{name}")
            value = line[name] / _MINOR if name.endswith("_minor") else line[name]
            at = series.setdefault(label, {})
            at[line[house.along]] = at.get(line[house.along], 0) + value
    drawn = list(series.items())[-_MOST_SERIES:]
    return {
        "names": [str(place) for place in places],
        "series": [
            {
                "type": "line" if house.is_line else "bar",
                "name": label,
                "data": [values.get(place) for place in places],
            }
            for label, values in drawn
        ],
    }


@page("/console/company-reports/{report}", needs="analytics:read", area="reports")
async def company_report(page: Page) -> Response:
    """Show a report of the house over some days, the last year at first."""
    house, span = _wanted(page)
    found = await page.api("GET", f"/v1/reports/{house.name}", parameters=span)
    lines = found["items"]
    return page.show(
        "reports/company.html",
        house=house,
        houses=HOUSE.values(),
        span=span,
        words=WORDS,
        lines=lines[:MOST_LINES],
        more=max(0, len(lines) - MOST_LINES),
        plot=orjson.dumps(plot_of(house, lines, page)).decode(),
    )


@page("/console/company-reports/{report}/figures.csv", needs="analytics:read")
async def company_figures(page: Page) -> Response:
    """Return all its lines as a file."""
    house, span = _wanted(page)
    answer = await page.file(f"/v1/reports/{house.name}.csv", parameters=span)
    return page.download(answer, f"{house.name}.csv")
