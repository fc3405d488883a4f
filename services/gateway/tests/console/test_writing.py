"""Templates and programmes are written, checked and looked at before they are kept."""

import json

import pytest

from kantis_kit.ids import new_id

ID = str(new_id())
TEMPLATE = {"id": ID, "name": "Autumn", "version": 3, "languages": ["en", "nb"]}
TEXT = {"subject": "Hi", "preheader": "", "html": "<p>Hi</p>", "text": None, "letter": "", "script": ""}  # fmt: skip
VERSION = {"languages": {"en": TEXT, "nb": {**TEXT, "subject": "Hei"}}, "message_class": "newsletter", "products": ["SKU"]}  # fmt: skip
TYPED = {"language": "en", "version": "3", "subject": "Hello", "html": "<p>Hello</p>", "plain": ""}
EDIT = f"/console/templates/{ID}/edit/en"
GRAPH = {"start": "a", "steps": {"a": {"kind": "end"}}}


@pytest.fixture
def template(services):
    services.answer("GET", f"/v1/templates/{ID}", TEMPLATE)
    services.answer("GET", f"/v1/templates/{ID}/versions/3", VERSION)
    services.answer("PUT", f"/v1/templates/{ID}", TEMPLATE)
    return services


async def test_a_language_is_saved_with_the_others_as_they_were(console, template):
    browser = await console.browser("marketer")

    saved = await browser.send(EDIT, "template_save", **TYPED)

    assert 303 == saved.status_code
    ((_, body),) = template.sent("PUT")
    assert ("newsletter", ["SKU"]) == (body["message_class"], body["products"])
    assert VERSION["languages"]["nb"] == body["languages"]["nb"]
    expected = {**TEXT, "subject": "Hello", "html": "<p>Hello</p>"}
    assert expected == body["languages"]["en"]


async def test_a_version_that_came_meanwhile_is_not_written_over_and_the_text_is_kept(
    console, template
):
    browser = await console.browser("marketer")

    refused = await browser.send(EDIT, "template_save", **{**TYPED, "version": "2"})

    assert 422 == refused.status_code
    assert "Somebody has saved a new version meanwhile" in refused.text
    assert 'value="Hello"' in refused.text
    assert [] == template.sent("PUT")


async def test_a_check_says_what_is_wrong_and_keeps_nothing(console, template):
    finding = {
        "code": "x", "severity": "error", "language": "en", "place": "html", "message": "no such field", "mend": "spell it",
    }  # fmt: skip
    template.answer("POST", "/v1/templates/lint", {"is_ready": False, "findings": [finding]})
    browser = await console.browser("marketer")

    checked = await browser.send(EDIT, "template_save", **TYPED, check="on")

    assert "This must be mended first" in checked.text
    assert "no such field" in checked.text
    assert "<html" not in checked.text
    assert [] == template.sent("PUT")


async def test_what_is_typed_is_looked_at_in_a_frame_in_which_nothing_runs(console, template):
    template.answer("POST", f"/v1/templates/{ID}/preview", b"<p>Hello</p><script>x</script>")
    browser = await console.browser("marketer")
    csrf = (await browser.get(EDIT)).text.split('name="_csrf" value="', 1)[1].split('"', 1)[0]

    shown = await browser.post(
        f"/console/templates/{ID}/looks", {"_csrf": csrf, "_form": "template_save", **TYPED}
    )

    assert "<p>Hello</p><script>x</script>" == shown.text
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    ((_, body),) = template.sent("POST")
    assert "<p>Hello</p>" == body["languages"]["en"]["html"]


async def test_a_language_that_it_has_not_begins_empty(console, template):
    browser = await console.browser("marketer")

    page = (await browser.get(f"/console/templates/{ID}/edit/fi")).text

    assert "Autumn: Finnish" in page
    assert 'name="language" value="fi"' in page
    assert "&lt;p&gt;" not in page


@pytest.fixture
def programme(services):
    one = {"id": ID, "name": "Welcome", "state": "draft", "draft_version": 2, "live_version": 1, "version": 7}  # fmt: skip
    services.answer("GET", f"/v1/programmes/{ID}", one)
    services.answer("PUT", f"/v1/programmes/{ID}", one)
    services.answer("GET", f"/v1/programmes/{ID}/versions/2", {"graph": GRAPH})
    return f"/console/programmes/{ID}/edit"


async def test_the_draft_of_a_programme_is_changed_unless_it_has_changed(
    console, services, programme
):
    browser = await console.browser("marketer")

    typed = {"name": "Welcome", "graph": json.dumps(GRAPH), "version": "7"}
    saved = await browser.send(programme, "programme_change", **typed)

    assert 303 == saved.status_code
    (call,) = [one for one in services.calls if one.method == "PUT"]
    assert {"name": "Welcome", "graph": GRAPH} == call.body
    assert b'"7"' == call.headers[b"if-match"]


async def test_the_checker_answers_beside_the_graph_and_nothing_is_kept(
    console, services, programme
):
    finding = {"field": "steps.a", "code": "dead_end", "message": "nothing comes after a"}
    told = {"is_good": False, "findings": [finding]}
    services.answer("POST", "/v1/programmes/check", told)
    browser = await console.browser("marketer")
    typed = {"name": "Welcome", "graph": json.dumps(GRAPH), "version": "7", "check": "on"}

    checked = await browser.send(programme, "programme_change", **typed)
    services.answer("POST", "/v1/programmes/check", {"is_good": True, "findings": []})
    good = await browser.send(programme, "programme_change", **typed)

    assert "nothing comes after a" in checked.text
    assert "No dead ends" in good.text
    assert GRAPH == services.sent("POST")[0][1]
    assert [] == services.sent("PUT")


async def test_a_graph_that_is_no_json_is_refused_at_its_field(console, services, programme):
    browser = await console.browser("marketer")

    typed = {"name": "Welcome", "graph": '{"start": ', "version": "7"}
    refused = await browser.send(programme, "programme_change", **typed)

    assert 422 == refused.status_code
    assert 'id="programme_change-graph-wrong"' in refused.text
    assert [] == services.sent("PUT")


async def test_a_ready_made_programme_stands_there_to_begin_with(console, services):
    ready = {"key": "after", "name": "After", "about": "", "asks_for": {"again": "a template"}, "graph": GRAPH}  # fmt: skip
    services.answer("GET", "/v1/programmes/ready-made", [ready])
    browser = await console.browser("marketer")

    page = (await browser.get("/console/programmes/new?from=after")).text
    await browser.send(
        "/console/programmes/new", "programme_make", name="After", graph=json.dumps(GRAPH)
    )

    assert "<code>$again</code>" in page
    assert 'value="After"' in page
    assert [("/v1/programmes", {"name": "After", "graph": GRAPH})] == services.sent("POST")
