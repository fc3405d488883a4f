"""Reports of the house in the console: plot, lines and file; what is asked for, and what there is not."""

import html
import json
import re

import pytest

from gateway.console.pages.reports.company import HOUSE
from gateway.console.texts import LANGUAGES

RATE = {"hits": 1, "tries": 2, "value": 0.5, "low": 0.1, "high": 0.9}
LINES = {
    "cohorts": {
        "currency": "NOK", "cohort": "2026-01-01", "month": "2026-02-01", "months_since": 1, "size": 1234, "buyers": 7,
        "orders": 8, "revenue_minor": 19900, "paid_minor": 0, "returned_minor": 0, "retention_rate": RATE,
    },
    "repeat-purchases": {"currency": "NOK", "cohort": "2026-01-01", "nth": 2, "buyers": 7, "repeat_rate": None},
    "lists": {"month": "2026-02-01", "channel": "email", "purpose": "offers", "joined": 3, "left": 1, "people": 7},
    "lead-months": {"month": "2026-02-01", "form_key": "<b>&", "leads": 7},
    "satisfaction": {
        "month": "2026-02-01", "survey_id": "1", "survey_name": "S", "question": "q", "answers": 2, "mean": 7.0, "nps": None,
    },
    "service-levels": {"month": "2026-02-01", "kind": "order", "promised": 7, "missed": 1, "in_time_rate": RATE},
    "returned-post": {"month": "2026-02-01", "kind": "letter", "reason": "moved", "pieces": 7},
    "lost-post": {"month": "2026-02-01", "channel": "letter", "currency": "NOK", "lost_minor": 700},
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
async def test_each_report_of_the_house_has_its_plot_lines_and_file(console, services, language):
    browser = await console.browser("viewer", language=language)
    for name in HOUSE:
        services.answer("GET", f"/v1/reports/{name}", {"items": [LINES[name]]})
        services.answer("GET", f"/v1/reports/{name}.csv", name.encode())
        span = "since=2026-01-01&until=2026-02-28"

        shown = await browser.get(f"/console/company-reports/{name}?{span}")
        file = await browser.get(f"/console/company-reports/{name}/figures.csv?{span}")

        assert 200 == shown.status_code
        plot = json.loads(html.unescape(re.search(r'data-plot="([^"]+)"', shown.text)[1]))
        assert [[7]] == [one["data"] for one in plot["series"]][:1]
        assert 1 == shown.text.count("<tbody><tr>")
        assert "<b>&" not in shown.text
        assert f"/v1/reports/{name}?since=2026-01-01&amp;until=2026-02-28" in shown.text
        assert name.encode() == file.content
        assert {span} == {
            one.query for one in services.calls if one.path.startswith(f"/v1/reports/{name}")
        }


async def test_the_last_year_is_shown_at_first_and_an_empty_one_says_what_to_do(console, services):
    browser = await console.browser("viewer")

    shown = await browser.get("/console/company-reports/lists")
    (call,) = [one for one in services.calls if one.path == "/v1/reports/lists"]

    assert "Nothing happened in these days" in shown.text
    assert "data-plot" not in shown.text
    today = console.rig.clock.now().date()
    assert f"since={today.replace(year=today.year - 1)}" <= call.query.partition("&")[0]
    assert f"until={today}" == call.query.partition("&")[2]


async def test_a_day_that_is_none_is_what_the_api_says_of_it(console, services):
    problem = {"title": "No", "detail": "until must be a day", "status": 422}
    services.answer("GET", "/v1/reports/lists", problem, 422)
    browser = await console.browser("viewer")

    shown = await browser.get("/console/company-reports/lists?until=yesterday")

    assert 422 == shown.status_code
    assert "until must be a day" in shown.text


async def test_a_report_that_there_is_not_is_not_found(console, services):
    browser = await console.browser("viewer")

    shown = await browser.get("/console/company-reports/secrets")

    assert (404, []) == (shown.status_code, services.calls)


async def test_who_sent_goods_back_is_a_choice_of_the_segment_builder(console, services):
    browser = await console.browser("administrator")
    services.answer("POST", "/v1/segments", {"id": "1"}, 201)

    await browser.send(
        "/console/segments/new", "segment_make", name="Returners", returned_within_days="90"
    )

    ((_, body),) = services.sent("POST")
    assert {"op": "all", "of": [{"op": "returns", "within_days": 90}]} == body["condition"]


async def test_the_report_of_a_campaign_tells_answers_by_kind_and_way(console, services):
    numbers = dict.fromkeys(("sent", "responded", "ordered", "paid", "profit_minor"), 3)
    total = numbers | {"answers": {"order": {"web": 2}, "refusal": {"keyed": 1}}}
    one = {"name": "Vår", "currency": "NOK", "total": total, "cells": [], "days": []}
    services.answer("GET", "/v1/reports/campaigns/1", one)
    browser = await console.browser("viewer", language="nb")

    shown = await browser.get("/console/reports/1")

    assert 200 == shown.status_code
    assert '<th scope="row">bestilling</th><td>nett</td><td class="number">2</td>' in shown.text
    assert '<th scope="row">nei takk</th><td>tastet inn</td><td class="number">1</td>' in shown.text
