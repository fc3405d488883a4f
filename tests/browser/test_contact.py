"""How people reach a person of ours, in a real browser: the way there, a chat as it comes, and a call."""

import httpx
import pytest
from playwright.async_api import expect
from reading import read

from kantis_kit.ids import new_id

LANGUAGES = ("nb", "sv", "da", "fi", "en")

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),  # the browser's
    pytest.mark.timeout(300),  # the first test waits for the house and its demonstration
]


async def test_a_chat_is_begun_from_a_mail_and_answered_as_it_comes(visitor):
    api_key = visitor.house.run("keys", "create", "--role", "administrator").strip()
    mails = await visitor.mails(subject="Fjellsko Rondane til turen din")
    tab = await visitor.follow(mails[5]["id"], "a[href*='/chat?who=']")
    word = new_id().hex
    await read(tab, "nb")
    await tab.fill("#text", f"Finnes skoen i blått? {word}")
    await tab.focus("button[type=submit]")
    await tab.keyboard.press("Enter")
    await expect(tab.locator(".yours")).to_have_count(1)
    await read(tab)

    headers = {"Authorization": f"Bearer {api_key}", "If-Match": "*"}
    async with httpx.AsyncClient(base_url=visitor.house.url, headers=headers) as agent:
        path = "/v1/conversations"
        listed = await agent.get(path, params={"channel": "chat", "limit": 500})
        (one,) = [
            one
            for one in listed.json()["items"]
            if word in (await agent.get(f"{path}/{one['id']}/messages")).text
        ]
        said = await agent.post(f"{path}/{one['id']}/answers", json={"text": "Ja, <i>i blått</i>."})
    await expect(tab.locator(".ours")).to_contain_text("Ja, <i>i blått</i>.")
    await tab.fill("#text", "Takk!")
    await tab.click("button[type=submit]")
    await expect(tab.locator(".yours")).to_have_count(2)
    await expect(tab.locator("#text")).to_be_focused()
    await tab.reload()

    assert 201 == said.status_code, said.text
    assert "" != one["campaign_name"]
    assert one["person_id"] is not None
    await expect(tab.locator("#lines li")).to_have_count(3)


async def test_the_pages_can_be_read_in_every_language(visitor):
    for path in ("/chat", "/chat/call"):
        for language in LANGUAGES:
            assert 200 == await visitor.goto(f"{path}?lang={language}")
            await read(visitor.page, language)


async def test_a_call_is_asked_for_with_the_keyboard(visitor):
    await visitor.goto("/chat/call?lang=nb")
    await visitor.page.fill("#phone", "+47 412 34 567")
    await visitor.page.focus("button[type=submit]")
    await visitor.page.keyboard.press("Enter")

    await expect(visitor.page.locator("[role=status]")).to_be_visible()
    await read(visitor.page, "nb")
