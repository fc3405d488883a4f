"""Funnels: how many people took steps one after the other, asked and looked at; and saved under a name."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import orjson
from starlette.responses import Response

from gateway.console.calls import Json
from gateway.console.forms import Field, Form, Values
from gateway.console.page import Page, page
from gateway.console.pages.reports.company import WORDS

COLUMNS = ("group_name", "step", "happening", "people", "first_rate", "previous_rate", "median_hours")  # fmt: skip
HAPPENINGS = (
    "planned", "sent", "came_back", "opened", "clicked", "unsubscribed", "responded", "ordered", "shipped", "paid", "returned",
    "invoiced", "settled", "lead",
)  # fmt: skip
GROUPS = ("campaign", "cell", "channel")
_PLACES = tuple(f"step_{number}" for number in range(1, 6))
_FIRST = {"step_1": "sent", "step_2": "clicked", "step_3": "ordered"}
_DAYS, _WINDOW = 89, "30"
_HOUR, _MOST_SERIES = 3_600, 12


def _asked(page: Page) -> dict[str, str]:
    """Return what is asked for, in the words of the page's address; a first look asks for sent, clicked, ordered."""
    until = page.query.get("until", "").strip() or str(page.today)
    try:
        before = date.fromisoformat(until) - timedelta(days=_DAYS)
    except (ValueError, OverflowError):
        before = page.today  # the API says what is wrong with the day
    asked = {
        "since": page.query.get("since", "").strip() or str(before),
        "until": until,
        "window_days": page.query.get("window_days", "").strip() or _WINDOW,
        "group_by": page.query.get("group_by", ""),
    }
    is_first = not any(page.query.get(place) for place in _PLACES)
    given: Mapping[str, str] = _FIRST if is_first else page.query
    return asked | {place: given.get(place, "") for place in _PLACES}


def _funnel(asked: Mapping[str, str]) -> dict[str, Any]:
    days = asked["window_days"]
    return {
        "steps": [{"happening": asked[place]} for place in _PLACES if asked[place]],
        "window_days": int(days)
        if days.isdecimal()
        else days,  # the API says what is wrong with it
        "group_by": asked["group_by"] or None,
    }


def lines_of(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the lines of a funnel as people read them: times in hours."""
    return [
        {**line, "median_hours": None if seconds is None else seconds / _HOUR}
        for line in found
        for seconds in [line["median_seconds"]]
    ]


def _plot(lines: Sequence[Mapping[str, Any]], page: Page) -> Json:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        groups.setdefault(line["group"], []).append(line)
    steps = next(iter(groups.values()))
    return {
        "names": [f"{line['step']} {page.t.word(line['happening'])}" for line in steps],
        "series": [
            {
                "type": "bar",
                "name": group[0]["group_name"] or page.t("reports.people"),
                "data": [line["people"] for line in group],
            }
            for group in list(groups.values())[:_MOST_SERIES]
        ],
    }


async def _save(page: Page, values: Values) -> Json:
    asked = _asked(page)
    try:
        span = date.fromisoformat(asked["until"]) - date.fromisoformat(asked["since"])
        days = span.days + 1
    except ValueError:
        days = 0  # the API says that these are no days
    body = SAVE.body_of(values) | {"days": days, "funnel": _funnel(asked)}
    return await page.api("POST", SAVE.path, body=body)


SAVE = Form(
    "funnel_save", "POST", "/v1/reports/saved", "analytics:write", [Field("name", required=True)],
    fixed={"report": "funnel"}, then="/console/saved-reports/{id}", do=_save,
)  # fmt: skip


@page("/console/funnels", needs="analytics:read", area="reports", forms=[SAVE])
async def funnel(page: Page) -> Response:
    """Count the people who took the steps that the address names."""
    asked = _asked(page)
    body = {"since": asked["since"], "until": asked["until"], **_funnel(asked)}
    found = await page.api("POST", "/v1/reports/funnels", body=body)
    lines = lines_of(found["items"])
    return page.show(
        "reports/funnel.html",
        asked=asked,
        places=_PLACES,
        happenings=HAPPENINGS,
        groups=GROUPS,
        columns=COLUMNS if asked["group_by"] else COLUMNS[1:],
        lines=lines,
        words=WORDS,
        plot=orjson.dumps(_plot(lines, page)).decode() if lines else "",
    )
