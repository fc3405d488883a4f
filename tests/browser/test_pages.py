"""The pages that people see, used as people use them, in a real browser, in front of the whole house."""

import pytest
from playwright.async_api import Page, expect
from reading import READING, axe_finds, read

from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

FORM = "/f/friluft"
LANGUAGES = ("nb", "sv", "da", "fi", "en")
CAMPAIGN = "Fjellsko Rondane"
READ_IN_MS = 2_500
"""A page that is sent sooner than two seconds after it was shown was not filled in by a person."""

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),  # the browser's
    pytest.mark.timeout(300),  # the first test waits for the house and its demonstration
]

TABS_ON_A_PAGE = 100


async def campaign_mail(visitor, which: int) -> int:
    """Return a mail of the campaign to somebody in Norway who has neither ordered nor left."""
    mails = await visitor.mails(subject=f"{CAMPAIGN} til turen din")
    return mails[which]["id"]


async def fill_in(page: Page, address: str) -> None:
    await page.fill("[name=full_name]", "Åse Østgård-Hämäläinen")
    await page.fill("[name=preferred_name]", "Åse")
    await page.fill("[name=email]", address)


async def send(page: Page) -> None:
    """Send the form as a person does: not sooner than a person can."""
    await page.evaluate(f"new Promise(go => setTimeout(go, {READ_IN_MS} - performance.now()))")
    await page.click("button[type=submit]")


async def test_the_form_takes_a_lead_in_every_language(visitor):
    tabs = {}
    for language in LANGUAGES:
        tabs[language] = tab = await visitor.context.new_page()
        await tab.goto(f"{visitor.house.url}{FORM}?lang={language}")
        await read(tab, language)
        await fill_in(tab, f"{language}.{new_id().hex}@eksempel.test")
        await tab.check("[name=consent]")

    for language, tab in tabs.items():
        address = await tab.input_value("[name=email]")
        await send(tab)

        await expect(tab.locator("[role=status]")).to_be_visible()
        await read(tab, language)
        (mail,) = await eventually(lambda to=address: visitor.mails(to=to), message="no mail came")
        await visitor.goto(f"/mailbox/{mail['id']}")
        frame = visitor.page.frame_locator("iframe")
        await expect(frame.locator("html")).to_have_attribute("lang", language)
        await expect(frame.locator("body")).to_contain_text("Åse")


async def test_a_visitor_signs_up_reads_the_mail_and_confirms(visitor):
    address = f"{new_id().hex}@eksempel.test"
    await visitor.goto(f"{FORM}?lang=nb")
    await fill_in(visitor.page, address)
    await visitor.page.check("[name=consent]")
    await send(visitor.page)
    await expect(visitor.page.locator("[role=status]")).to_be_visible()
    await eventually(lambda: visitor.mails(to=address), message="no mail came")

    await visitor.goto("/mailbox")
    await read(visitor.page, "en")
    await visitor.page.get_by_label("Address contains").fill(address)
    await visitor.page.get_by_role("button", name="Search").click()
    await visitor.page.locator("tbody a").click()
    await read(visitor.page, "en")
    async with visitor.context.expect_page() as opened:
        await visitor.page.frame_locator("iframe").locator("a[href*='/p/confirm/']").first.click()
    tab = await opened.value
    await read(tab, "nb")
    await tab.reload()
    await expect(tab.get_by_role("button")).to_be_visible()  # looking confirms nothing
    await tab.get_by_role("button").click()

    await expect(tab.locator("[role=status]")).to_be_visible()
    await read(tab, "nb")


async def test_a_form_with_a_mistake_keeps_what_was_typed(visitor):
    await visitor.goto(f"{FORM}?lang=en")
    await fill_in(visitor.page, "no address at all@")
    await visitor.page.evaluate("document.forms[0].noValidate = true")  # an old browser

    await send(visitor.page)

    await expect(visitor.page.get_by_role("alert")).to_be_visible()
    await expect(visitor.page.locator("[name=preferred_name]")).to_have_value("Åse")
    await read(visitor.page, "en")
    # The browser tells of every answer that is not a success.
    assert all("status of 4" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


async def test_a_reader_orders_by_the_link_in_the_mail(visitor):
    tab = await visitor.follow(await campaign_mail(visitor, 0), "a.button")

    await expect(tab.locator("main")).to_contain_text(CAMPAIGN)
    await read(tab, "nb")
    await tab.fill("[name=quantity]", "2")
    await tab.get_by_role("button").click()
    await expect(tab.locator("h1")).to_contain_text("Takk")
    await read(tab, "nb")
    await tab.reload()
    await expect(tab.locator("[type=checkbox]")).to_be_visible()  # once more only if it is meant


async def test_looking_at_the_page_to_unsubscribe_changes_nothing(visitor):
    mail = await campaign_mail(visitor, 1)
    tab = await visitor.follow(mail, "a[href*='/u/']")
    for _ in range(3):
        await tab.reload()
    await expect(tab.get_by_role("button")).to_have_count(2)
    await read(tab, "nb")

    await tab.get_by_role("button").first.click()

    await expect(tab.get_by_role("status")).to_be_visible()
    await read(tab, "nb")


async def press_tab_until(tab, wanted):
    """Go through the page as somebody without a mouse does, until the wanted element has the focus."""
    for _ in range(TABS_ON_A_PAGE):
        await tab.keyboard.press("Tab")
        if await wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"no number of tabs leads to {wanted}")


async def test_the_preferences_can_be_read_and_changed(visitor):
    tab = await visitor.follow(await campaign_mail(visitor, 2), "a[href*='/p/preferences/']")

    await read(tab, "nb")
    boxes = tab.get_by_role("checkbox")
    before = [await box.is_checked() for box in await boxes.all()]
    await tab.locator("body").focus()
    await press_tab_until(tab, boxes.first)
    await tab.keyboard.press("Space")
    await press_tab_until(tab, tab.get_by_role("button").first)
    await tab.keyboard.press("Enter")

    await expect(tab.get_by_role("status")).to_be_visible()
    await read(tab, "nb")
    await tab.goto(tab.url.partition("?")[0])
    await tab.reload()
    after = [await box.is_checked() for box in await boxes.all()]
    assert [not before[0], *before[1:]] == after


async def test_the_report_has_plots_with_their_tables_in_every_language(visitor):
    for language in LANGUAGES:
        assert 200 == await visitor.goto(f"{visitor.house.told['report']}?lang={language}")

        await read(visitor.page, language)
        plots = visitor.page.locator("svg.plot")
        assert 3 <= await plots.count() == await visitor.page.locator("table").count()
        for plot in await plots.all():
            box = await plot.bounding_box()
            assert box is not None
            assert box["width"] > 300
            assert await plot.locator("rect, circle, line").count() > 4
        assert 0 == await visitor.page.locator("script").count()


async def test_the_explorer_shows_and_calls_the_operations_of_every_service(visitor):
    assert 200 == await visitor.goto("/docs")

    tags = visitor.page.locator(".opblock-tag")
    await expect(tags.first).to_be_visible(
        timeout=30_000
    )  # the description of a whole house is long
    shown = " ".join(await tags.all_inner_texts())
    for service in ("contacts", "campaign", "orders", "messaging", "analytics", "gateway"):
        assert f"{service}: " in shown
    await visitor.page.locator(".opblock-tag", has_text="contacts: segments").click()
    key = visitor.house.run("keys", "create", "--role", "viewer").strip()
    await visitor.page.get_by_role("button", name="Authorize").click()
    await visitor.page.locator(".auth-container input").fill(key)
    await visitor.page.locator(".auth-btn-wrapper .authorize").click()
    await visitor.page.locator(".btn-done").click()
    block = visitor.page.locator(".opblock-get").filter(
        has=visitor.page.locator("[data-path='/v1/segments']")
    )
    await block.locator(".opblock-summary-control").click()
    await block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table tbody .response-col_status")
    await expect(answer).to_have_text("200")


async def test_the_first_page_leads_to_everything(visitor):
    assert 200 == await visitor.goto("/")

    await read(visitor.page)
    links = [await link.get_attribute("href") for link in await visitor.page.locator("a").all()]
    assert {"/docs", "/mailbox"} <= set(links)


async def test_a_page_asks_in_the_language_of_the_browser(visitor_with):
    async with visitor_with(locale="fi-FI") as visitor:
        await visitor.goto(FORM)
        await read(visitor.page, "fi")


BAD = """<!doctype html><html><head></head><body style="background: #fff">
<h1>One</h1><h1>Two</h1><input name="x"><button></button><img src="data:,"><svg></svg><p id="a"></p><p id="a"></p>
<p style="color: #aaa">faint</p><p style="width: 5000px">wide</p></body></html>"""


async def test_a_bad_page_is_noticed(visitor):
    await visitor.page.set_content(BAD)

    found = "\n".join(await visitor.page.evaluate(READING))

    for word in ("lang is ''", "no title", "no viewport", "2 first headings", "no main part", "no label", "no name"):  # fmt: skip
        assert word in found
    for word in ("no alt", "without a role", "the id a twice", "wider than", "contrast 2.32 of 4.5"):  # fmt: skip
        assert word in found
    axe = "\n".join(await axe_finds(visitor.page))
    for rule in ("html-has-lang", "document-title", "image-alt", "label", "button-name", "color-contrast"):  # fmt: skip
        assert f": {rule}: " in axe
