"""Saved reports and funnels in the console: what is asked of the API, what is shown, and what is refused."""

import pytest

from gateway.console.texts import LANGUAGES

LINES = [
    {"group": "", "group_name": "", "step": 1, "happening": "sent", "people": 1200, "first_rate": None, "previous_rate": None, "median_seconds": None},
    {
        "group": "", "group_name": "", "step": 2, "happening": "ordered", "people": 24,
        "first_rate": {"value": 0.02, "low": 0.01, "high": 0.03}, "previous_rate": {"value": 0.02, "low": 0.01, "high": 0.03},
        "median_seconds": 9000,
    },
]  # fmt: skip
FUNNEL = {
    "steps": [{"happening": "sent"}, {"happening": "ordered"}],
    "window_days": 14,
    "group_by": None,
}
ASKED = "since=2026-01-01&until=2026-01-31&step_1=sent&step_2=ordered&window_days=14"
SAVED = {
    "id": "7", "name": "<b>Våren", "report": "funnel", "days": 31, "currency": "", "campaign_id": None, "person_id": None,
    "funnel": FUNNEL, "created_at": "2026-02-01T08:00:00Z",
}  # fmt: skip
SCHEDULE = {
    "id": "9", "saved_id": "7", "report_name": "Våren", "every": "week", "weekday": 2, "month_day": None, "hour": 7,
    "time_zone": "Europe/Oslo", "recipients": [{"email": "kari@lys.example", "name": "Kari", "language": "nb"}],
    "is_paused": False, "problem": "", "next_due_at": "2026-03-03T06:00:00Z", "last_due_at": None,
    "created_at": "2026-02-01T08:00:00Z",
}  # fmt: skip
PATH = "/console/saved-reports/7"


def _lay(services, **changes):
    shown = {"saved": SAVED, "since": "2026-01-01", "until": "2026-01-31", "items": LINES}
    services.answer("GET", "/v1/reports/saved/7", shown | changes)
    services.answer("GET", "/v1/reports/schedules", {"items": [SCHEDULE], "next_cursor": None})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_funnel_is_asked_for_and_shown(console, services, language):
    services.answer("POST", "/v1/reports/funnels", {"items": LINES})
    browser = await console.browser("viewer", language=language)

    shown = await browser.get(f"/console/funnels?{ASKED}")

    ((_, body),) = services.sent("POST")
    assert FUNNEL | {"since": "2026-01-01", "until": "2026-01-31"} == body
    assert 200 == shown.status_code
    assert 2 == shown.text.count("<tr><td")
    assert "2.5" in shown.text, "the median, in hours"
    assert "data-plot" in shown.text
    assert 'name="_form" value="funnel_save"' not in shown.text, "a viewer saves nothing"


async def test_a_first_look_asks_for_sent_clicked_and_ordered(console, services):
    browser = await console.browser("viewer")

    shown = await browser.get("/console/funnels")

    ((_, body),) = services.sent("POST")
    assert ["sent", "clicked", "ordered"] == [step["happening"] for step in body["steps"]]
    assert "Nothing happened in these days" in shown.text


async def test_what_cannot_be_asked_is_what_the_api_says_of_it(console, services):
    problem = {"title": "No", "detail": "window_days: a whole number", "status": 422}
    services.answer("POST", "/v1/reports/funnels", problem, 422)
    browser = await console.browser("viewer")

    shown = await browser.get("/console/funnels?until=soon&window_days=many&step_1=sent")

    ((_, body),) = services.sent("POST")
    assert ("soon", "many") == (body["until"], body["window_days"])
    assert (422, True) == (shown.status_code, "window_days: a whole number" in shown.text)


async def test_a_funnel_is_saved_as_it_is_looked_at(console, services):
    services.answer("POST", "/v1/reports/funnels", {"items": LINES})
    services.answer("POST", "/v1/reports/saved", SAVED, 201)
    browser = await console.browser("administrator")

    answer = await browser.send(f"/console/funnels?{ASKED}", "funnel_save", name="Våren")

    assert (303, PATH) == (answer.status_code, answer.headers["location"])
    (body,) = [body for path, body in services.sent("POST") if path == "/v1/reports/saved"]
    assert {"report": "funnel", "name": "Våren", "days": 31, "funnel": FUNNEL} == body


async def test_a_report_of_the_house_is_saved(console, services):
    services.answer("POST", "/v1/reports/saved", SAVED | {"id": "8", "report": "lists"}, 201)
    browser = await console.browser("administrator")

    answer = await browser.send(
        "/console/saved-reports", "report_save", name="Lists", report="lists", days="92"
    )

    assert (303, "/console/saved-reports/8") == (answer.status_code, answer.headers["location"])
    assert [("/v1/reports/saved", {"name": "Lists", "report": "lists", "days": 92})] == (
        services.sent("POST")
    )


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_saved_report_reads_as_today_and_says_who_gets_it(console, services, language):
    _lay(services)
    services.answer("GET", "/v1/reports/saved", {"items": [SAVED], "next_cursor": None})
    services.answer("GET", "/v1/reports/saved/7.csv", b"group,step")
    browser = await console.browser("viewer", language=language)

    listed = await browser.get("/console/saved-reports")
    shown = await browser.get(PATH)
    file = await browser.get(f"{PATH}/figures.csv")

    assert (200, 200, b"group,step") == (listed.status_code, shown.status_code, file.content)
    assert f'href="{PATH}"' in listed.text
    assert "<b>Våren" not in listed.text + shown.text
    assert 2 == shown.text.count("<tr><td")
    assert "kari@lys.example" in shown.text
    assert "2026-03-03" in shown.text
    assert 'name="_form"' not in shown.text.split("<main", 1)[1]


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({"report": "campaign", "campaign_id": "3"}, "/console/reports/3"),
        ({"report": "customer", "person_id": "4"}, "/console/contacts/4"),
    ],
)
async def test_a_report_of_one_thing_leads_to_it(console, services, changes, address):
    _lay(services, saved=SAVED | {"funnel": None} | changes, items=[{"cell": "A"}])
    browser = await console.browser("viewer")

    shown = await browser.get(PATH)

    assert f'<a href="{address}">' in shown.text


async def test_a_report_is_scheduled_paused_resumed_and_dropped(console, services):
    _lay(services)
    base = "/v1/reports/schedules/9"
    browser = await console.browser("administrator")

    made = await browser.send(
        PATH, "schedule_add", every="week", weekday="2", hour="7", time_zone="Europe/Oslo",
        **{"recipients.0.email": "kari@lys.example", "recipients.0.name": "Kari", "recipients.0.language": "nb"},
    )  # fmt: skip
    for form in ("schedule_pause", "schedule_resume", "schedule_drop"):
        assert 303 == (await browser.send(PATH, form, schedule_id="9")).status_code
    gone = await browser.send(PATH, "report_delete")

    assert (303, f"{PATH}?done=schedule_add") == (made.status_code, made.headers["location"])
    (first, *changed) = services.sent("POST")
    recipient = {"email": "kari@lys.example", "name": "Kari", "language": "nb"}
    wanted = {"every": "week", "weekday": 2, "hour": 7, "time_zone": "Europe/Oslo"}
    assert ("/v1/reports/saved/7/schedules", wanted | {"recipients": [recipient]}) == first
    assert [f"{base}/pause", f"{base}/resume"] == [path for path, _ in changed]
    assert [base, "/v1/reports/saved/7"] == [path for path, _ in services.sent("DELETE")]
    assert "/console/saved-reports?done=report_delete" == gone.headers["location"]


async def test_a_schedule_that_is_refused_says_at_its_field_why(console, services):
    _lay(services)
    errors = [{"in": "body", "field": "weekday", "message": "say it, every=week needs it"}]
    services.answer(
        "POST", "/v1/reports/saved/7/schedules",
        {"title": "No", "detail": "weekday is missing", "status": 422, "errors": errors}, 422,
    )  # fmt: skip
    browser = await console.browser("administrator")

    shown = await browser.send(PATH, "schedule_add", every="week", hour="7")

    assert 422 == shown.status_code
    assert "say it, every=week needs it" in shown.text
