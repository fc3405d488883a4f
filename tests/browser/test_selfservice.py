"""The pages on which people see to their own affairs, in a real browser, from the link in a mail."""

import re

import pytest
from playwright.async_api import expect
from reading import read

LANGUAGES = ("nb", "sv", "da", "fi", "en")
PAGES = ("preferences", "profile", "consents", "data", "erase")

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),  # the browser's
    pytest.mark.timeout(300),  # the first test waits for the house and its demonstration
]


async def test_people_see_to_their_own_affairs_in_every_language(visitor):
    mails = await visitor.mails(subject="Fjellsko Rondane til turen din")
    tab = await visitor.follow(mails[3]["id"], "a[href*='/p/preferences/']")

    for name in PAGES:
        await tab.click(f"nav a[href*='/p/{name}/']")
        await expect(tab.locator("nav a[aria-current=page]")).to_have_attribute(
            "href", re.compile(f"^/p/{name}/")
        )
        address = tab.url.split("?")[0]
        for language in LANGUAGES:
            await tab.goto(f"{address}?lang={language}")
            await read(tab, language)


async def test_a_choice_is_made_with_the_keyboard_and_kept(visitor):
    mails = await visitor.mails(subject="Fjellsko Rondane til turen din")
    tab = await visitor.follow(mails[4]["id"], "a[href*='/p/preferences/']")

    await tab.select_option("#hour_from", "9")
    await tab.select_option("#hour_to", "17")
    await tab.check("[id='day.1']")
    await tab.focus("button[type=submit]")
    await tab.keyboard.press("Enter")

    await expect(tab.locator("[role=status]")).to_be_visible()
    await expect(tab.locator("#hour_from")).to_have_value("9")
    await expect(tab.locator("[id='day.1']")).to_be_checked()
