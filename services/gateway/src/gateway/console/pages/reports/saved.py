"""Saved reports: each as it reads today, as a file, and by mail on days of one's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from gateway.console.calls import Json
from gateway.console.forms import Field, Form, Values
from gateway.console.page import Page, page
from gateway.console.pages.reports.company import HOUSE, MOST_LINES, WORDS
from gateway.console.pages.reports.funnels import COLUMNS, lines_of

_LANGUAGES = ("nb", "sv", "da", "fi", "en")
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FILE = "/v1/reports/saved/{}.csv"
SAVE = Form(
    "report_save", "POST", "/v1/reports/saved", "analytics:write",
    [
        Field("name", required=True),
        Field("report", "select", required=True),
        Field("days", "number", required=True, given="365"),
    ],
    then="/console/saved-reports/{id}",
)  # fmt: skip
DELETE = Form(
    "report_delete", "DELETE", "/v1/reports/saved/{saved_id}", "analytics:write",
    has_body=False, is_plain=True, then="/console/saved-reports?done=report_delete",
)  # fmt: skip


async def _schedule(page: Page, values: Values) -> Json:
    body = SCHEDULE.body_of(values)
    if "weekday" in body:
        body["weekday"] = int(body["weekday"]) if body["weekday"].isdecimal() else body["weekday"]
    return await page.api("POST", SCHEDULE.target(page.params), body=body)


SCHEDULE = Form(
    "schedule_add", "POST", "/v1/reports/saved/{saved_id}/schedules", "analytics:write",
    [
        Field("recipients.0.email", "email", required=True),
        Field("recipients.0.name"),
        Field("recipients.0.language", "select", options=_LANGUAGES, required=True),
        Field("every", "select", options=("day", "week", "month"), required=True, given="week"),
        Field("weekday", "select"),
        Field("month_day", "number"),
        Field("hour", "number", required=True, given="7"),
        Field("time_zone", required=True, given="Europe/Oslo"),
    ],
    do=_schedule,
)  # fmt: skip


def _change(name: str, method: str, path: str) -> Form:
    return Form(
        name, method, f"/v1/reports/schedules/{{schedule_id}}{path}", "analytics:write",
        [Field("schedule_id", "hidden")], has_body=False, is_plain=True,
    )  # fmt: skip


PAUSE = _change("schedule_pause", "POST", "/pause")
RESUME = _change("schedule_resume", "POST", "/resume")
DROP = _change("schedule_drop", "DELETE", "")


def _columns(saved: Mapping[str, Any]) -> Sequence[str]:
    if saved["report"] == "funnel":
        return COLUMNS
    return HOUSE[saved["report"]].columns if saved["report"] in HOUSE else ()


@page("/console/saved-reports", needs="analytics:read", area="reports", forms=[SAVE])
async def saved_reports(page: Page) -> Response:
    """Show what is saved, and save one of the reports of the house."""
    found = await page.api(
        "GET", "/v1/reports/saved", parameters={"cursor": page.query.get("cursor"), "limit": 50}
    )
    page.options["report"] = [(one.name, page.t(one.title)) for one in HOUSE.values()]
    return page.show("reports/saved.html", saved=found, houses=HOUSE)


@page(
    "/console/saved-reports/{saved_id}",
    needs="analytics:read",
    area="reports",
    forms=[SCHEDULE, PAUSE, RESUME, DROP, DELETE],
)
async def saved_report(page: Page) -> Response:
    """Show a saved report as it reads today, and who gets it by mail."""
    saved_id = page.params["saved_id"]
    one = await page.api("GET", f"/v1/reports/saved/{saved_id}")
    schedules = await page.api(
        "GET", "/v1/reports/schedules", parameters={"saved_id": saved_id, "limit": 200}
    )
    lines = one["items"]
    if one["saved"]["report"] == "funnel":
        lines = lines_of(lines)
    page.options["weekday"] = [
        (str(day), page.t.word(name)) for day, name in enumerate(_WEEK, start=1)
    ]
    return page.show(
        "reports/saved_one.html",
        one=one,
        saved=one["saved"],
        columns=_columns(one["saved"]),
        lines=lines[:MOST_LINES],
        more=max(0, len(lines) - MOST_LINES),
        words=WORDS,
        schedules=schedules["items"],
        week=_WEEK,
    )


@page("/console/saved-reports/{saved_id}/figures.csv", needs="analytics:read")
async def saved_figures(page: Page) -> Response:
    """Return all its lines as a file."""
    answer = await page.file(_FILE.format(page.params["saved_id"]))
    return page.download(answer, "report.csv")
