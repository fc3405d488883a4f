"""Funnels and saved reports as somebody makes them: asked for, saved, sent by mail, paused and deleted."""

import pytest
from playwright.async_api import expect
from reading import read
from signing import sign_in

from kantis_kit.ids import new_id

pytestmark = [
    pytest.mark.timeout(300),  # the first test waits for the house and its demonstration
    pytest.mark.asyncio(loop_scope="session"),  # the browser's
]


async def test_a_funnel_is_asked_for_saved_and_sent_by_mail(visitor):
    page = visitor.page
    await sign_in(visitor)
    await page.get_by_role("link", name="Reports", exact=True).click()
    await page.get_by_role("link", name="Funnels").click()
    await page.get_by_label("Step 2").select_option("responded")
    await page.get_by_label("Told apart by").select_option("campaign")
    await page.get_by_role("button", name="Show").click()
    first = page.locator("tbody tr").first
    people = int("".join(filter(str.isdigit, await first.locator("td").nth(3).inner_text())))
    await expect(page.locator(".plot canvas, .plot svg").first).to_be_visible()
    await read(page, "en")

    name = f"Answers {new_id().hex[-6:]}"
    await page.get_by_role("button", name="Save the funnel").first.click()
    await page.get_by_label("Name", exact=True).fill(name)
    await page.locator("#funnel_save button").click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()
    again = page.locator("tbody tr").first.locator("td").nth(3)
    assert people == int("".join(filter(str.isdigit, await again.inner_text()))) > 0

    await page.locator("summary", has_text="Send it by mail").click()
    await page.get_by_label("E-mail").fill("kari@lys.example")
    await page.get_by_label("Language").select_option("nb")
    await page.get_by_label("Day of the week").select_option("2")
    await page.locator("#schedule_add button").click()
    schedule = page.locator("li", has_text="kari@lys.example")
    await expect(schedule).to_contain_text("Tuesday 07:00 (Europe/Oslo)")
    await read(page, "en")
    await schedule.get_by_role("button", name="Pause").click()
    await schedule.get_by_role("button", name="Resume").click()
    await schedule.get_by_role("button", name="Remove").click()
    await expect(schedule).to_have_count(0)

    await page.get_by_role("button", name="Delete the report").click()
    await expect(page.get_by_role("heading", name="Saved reports")).to_be_visible()
    await expect(page.get_by_role("link", name=name)).to_have_count(0)
