"""Forms with everything that a form can ask, as people see them in their language; and the ends of the ways."""

import re

import pytest
from playwright.async_api import expect
from reading import read

from kantis_kit.ids import new_id

LANGUAGES = ("nb", "sv", "da", "fi", "en")
READ_IN_MS = 2_500

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),  # the browser's
    pytest.mark.timeout(600),  # the first test waits for the house and its demonstration
]


def said(text):
    return {language: f"{text} ({language})" for language in LANGUAGES}


FORM = {
    "source": "Everything",
    "titles": said("Everything"),
    "consent": {language: {"version": "1", "text": f"Yes ({language})"} for language in LANGUAGES},
    "default_language": "en",
    "fields": [
        {"key": "name_of_dog", "labels": said("What is your dog called?")},
        {"key": "story", "kind": "long_text", "labels": said("Tell us more")},
        {"key": "shoe_size", "kind": "number", "labels": said("Size"), "is_required": True},
        {"key": "since", "kind": "date", "labels": said("Since when?")},
        {"key": "hikes", "kind": "flag", "labels": said("I go for hikes")},
        *(
            {
                "key": f"feet_{kind}",
                "kind": kind,
                "labels": said("Your feet are"),
                "choices": [{"value": one, "labels": said(one)} for one in ("warm", "cold")],
            }
            for kind in ("choice", "choices")
        ),
    ],
    "topics": [{"key": "boots", "labels": said("Boots")}],
    "boxes": [
        {
            "key": "offers",
            "purposes": ["offers"],
            "consent": {
                language: {"version": "1", "text": f"Offers too ({language})"}
                for language in LANGUAGES
            },
        }
    ],
    "proof_of_work_bits": 4,
}


async def make_form(visitor):
    key = f"all-{new_id().hex[-12:]}"
    api_key = visitor.house.run("keys", "create", "--role", "administrator").strip()
    answer = await visitor.context.request.post(
        f"{visitor.house.url}/v1/forms",
        data={**FORM, "key": key},
        headers={"Authorization": f"Bearer {api_key}"},
    )
    assert answer.ok, await answer.text()
    return f"/f/{key}"


async def test_a_form_with_every_kind_of_question_is_read_in_every_language(visitor):
    path = await make_form(visitor)

    for language in LANGUAGES:
        await visitor.goto(f"{path}?lang={language}")
        await read(visitor.page, language)
        await expect(visitor.page.locator("main")).to_contain_text(f"Boots ({language})")


async def test_what_is_missing_is_said_beside_what_was_typed_in_every_language(visitor):
    path, tabs = await make_form(visitor), {}
    for language in LANGUAGES:
        tabs[language] = tab = await visitor.context.new_page()
        await tab.goto(f"{visitor.house.url}{path}?lang={language}")
        await tab.fill("[name=full_name]", "Åse Østgård")
        await tab.fill("[name=email]", "ase@eksempel.test")
        await tab.evaluate("document.forms[0].noValidate = true")  # an old browser

    for language, tab in tabs.items():
        await tab.evaluate(f"new Promise(go => setTimeout(go, {READ_IN_MS} - performance.now()))")
        await tab.click("button[type=submit]")

        await expect(tab.get_by_role("alert")).to_be_visible()
        await expect(tab.locator("[name=full_name]")).to_have_value("Åse Østgård")
        await read(tab, language)
    # The browser tells of every answer that is not a success.
    assert all("status of 4" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


async def test_a_link_that_is_dead_says_so_in_every_language(visitor):
    pages = ("preferences", "profile", "data", "erase", "confirm")
    for page, language in zip(pages, LANGUAGES, strict=True):
        assert 404 == await visitor.goto(f"/p/{page}/AAAA?lang={language}")
        await read(visitor.page, language)
    assert all("status of 4" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


async def test_who_erases_themselves_reads_that_it_is_done(visitor):
    address = f"{new_id().hex}@eksempel.test"
    api_key = visitor.house.run("keys", "create", "--role", "administrator").strip()
    headers = {"Authorization": f"Bearer {api_key}"}
    request = visitor.context.request
    body = {"full_name": "Åse Østgård", "email": address, "language": "fi", "country": "FI"}
    made = await request.post(f"{visitor.house.url}/v1/contacts", data=body, headers=headers)
    person = (await made.json())["id"]
    pages = await request.get(f"{visitor.house.url}/v1/contacts/{person}/pages", headers=headers)

    for language in LANGUAGES:
        await visitor.goto(f"{(await pages.json())['erase']}?lang={language}")
        await read(visitor.page, language)
    await visitor.page.check("[name=sure]")
    async with visitor.page.expect_navigation():
        await visitor.page.click("button[type=submit]")

    await read(visitor.page)
    await expect(visitor.page.locator("h1")).not_to_have_text(re.compile("^$"))
    gone = await request.get(f"{visitor.house.url}/v1/contacts/{person}", headers=headers)
    assert 404 == gone.status
