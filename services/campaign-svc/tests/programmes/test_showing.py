"""What the API shows of programmes: the schema, the drawing with live counts, the calendar file, what is ready-made."""

from xml.etree import ElementTree as ET

from jsonschema import Draft202012Validator

from campaign_svc.programmes.schemas.graph import Graph
from campaign_svc.programmes.usecases.ready import ready_made
from kantis_kit.ids import new_id

SVG = "{http://www.w3.org/2000/svg}"


def webinar(say, **more):
    step = {"kind": "content", "content": "webinar", "title": "Varme, lys; og luft", "say": say,
            "begins_at": "2026-05-05T18:00:00+02:00", "place": "På nett — " + "æ" * 80, "next": "wait", **more}  # fmt: skip
    wait = {
        "kind": "wait_for",
        "event": "signed_up.webinar",
        "within_days": 30,
        "next": "end",
        "timed_out": "end",
    }
    steps = {"webinar": step, "wait": wait, "end": {"kind": "end"}}
    return {"trigger": {"on": "hand"}, "start": "webinar", "steps": steps}


async def test_the_schema_takes_what_the_checker_takes_and_names_what_it_does_not(programmes, say):
    schema = await programmes.call("GET", "/v1/programmes/schema")
    validator = Draft202012Validator(schema)

    assert [] == list(validator.iter_errors(webinar(say)))
    assert [] != list(validator.iter_errors({**webinar(say), "start": "No Such Name"}))
    checked = await programmes.call("POST", "/v1/programmes/check", json=webinar(say, next="gone"))
    assert not checked["is_good"]
    assert ["steps.webinar.next"] == [one["field"] for one in checked["findings"]]


async def test_a_drawing_counts_who_is_where_and_hides_nothing_in_its_words(programmes, say):
    graph = webinar(say)
    graph["steps"]["wait"]["note"] = "<script>alert(1)</script>"
    path = await programmes.live(graph, "Lys & <varme>")
    await programmes.begin(path, *(new_id() for _ in range(3)))

    drawn = await programmes.call("GET", f"{path}/drawing.svg")
    svg = ET.fromstring(drawn.content)  # noqa: S314 - our own

    assert "image/svg+xml" == drawn.headers["content-type"]
    assert "Lys & <varme>" == svg.find(f"{SVG}title").text
    assert "wait (wait_for, 3 people): next: end; timed_out: end." in svg.find(f"{SVG}desc").text
    assert {"step-webinar", "step-wait", "step-end"} == {
        one.get("id") for one in svg.iter(f"{SVG}g")
    }
    counts = [one.text for one in svg.iter(f"{SVG}text") if one.get("class") == "count"]
    assert ["3"] == counts
    assert b"<script" not in drawn.content


async def test_a_webinar_has_a_calendar_file_and_a_sign_up_that_goes_on(programmes, say):
    kari = new_id()
    path = await programmes.live(webinar(say))
    await programmes.begin(path, kari)

    file = await programmes.call("GET", f"{path}/steps/webinar/calendar.ics")
    again = await programmes.call("GET", f"{path}/steps/webinar/calendar.ics")
    none = await programmes.call("GET", f"{path}/steps/wait/calendar.ics", 404)
    await programmes.tell("signed_up.webinar", kari)

    lines = file.content.split(b"\r\n")
    assert b"DTSTART:20260505T160000Z" in lines
    assert b"DTEND:20260505T170000Z" in lines
    assert rb"SUMMARY:Varme\, lys\; og luft" in lines
    assert max(len(one) for one in lines) <= 75
    assert f"LOCATION:På nett — {'æ' * 80}" in file.content.decode().replace("\r\n ", "")
    assert file.content == again.content
    assert "is no event and no webinar" in none["detail"]
    assert "ended" == (await programmes.run(path, kari))["state"]


async def test_a_ready_made_programme_says_what_it_lacks_and_runs_when_it_has_it(programmes):
    shown = await programmes.call("GET", "/v1/programmes/ready-made")
    wanted = next(one for one in shown if one["key"] == "welcome")["asks_for"]
    lacking = await programmes.call(
        "POST", "/v1/programmes/ready-made/welcome", 422, json={"fill": {"odd": str(new_id())}}
    )
    fill = {name: str(new_id()) for name in wanted}
    made = await programmes.call(
        "POST", "/v1/programmes/ready-made/welcome", 201, json={"fill": fill}
    )
    path = f"/v1/programmes/{made['id']}"
    await programmes.call("POST", f"{path}/publish")
    await programmes.begin(path, new_id())
    unknown = await programmes.call("POST", "/v1/programmes/ready-made/nothing", 404, json={})

    assert {"fill.welcome", "fill.about_us", "fill.first_offer", "fill.odd"} == {
        one["field"] for one in lacking["errors"]
    }
    assert ["greet"] == [step for step, _ in programmes.asked()]
    assert "there are after_the_purchase, binding_expires" in unknown["detail"]


def test_what_is_ready_made_covers_the_house():
    assert {
        "after_the_purchase",
        "binding_expires",
        "learn_the_lead",
        "newsletter",
        "welcome",
        "win_back",
    } == set(ready_made())
    assert "Kantis programme" == Graph.model_json_schema()["title"]
