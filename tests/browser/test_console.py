"""The console as somebody new uses it: signs in, imports, segments, launches, keys responses, ships, sees the report."""

import json
import re

import pytest
from playwright.async_api import expect
from reading import read
from signing import sign_in

from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

pytestmark = [
    pytest.mark.timeout(300),  # the first test waits for the house and its demonstration
    pytest.mark.asyncio(loop_scope="session"),  # the browser's
]


async def import_people(page, run):
    """Send a file, having looked at how it is read; return the source that it names."""
    await page.get_by_role("link", name="Imports").click()
    people = [f"{one};{one.lower()}.{run}@eksempel.test;NO;nb;yes" for one in ("Ida", "Jon", "Liv")]
    content = "\n".join(["fornavn;epost;land;språk;permission.email.offers", *people])
    file = {"name": "new.csv", "mimeType": "text/csv", "buffer": content.encode()}
    await page.get_by_label("File (CSV or XLSX)").set_input_files([file])
    await page.get_by_label("Source", exact=True).fill(f"Fair {run}")
    await page.get_by_label("Where the permissions come from").fill("Cards at the fair")
    await page.get_by_label("The text they said yes to").fill("Yes, send me offers by e-mail.")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator("#preview table")).to_contain_text("Ida")
    await page.get_by_role("button", name="Import").click()
    await expect(page.locator("#figures")).to_contain_text("done")
    await read(page, "en")
    return f"Fair {run}"


async def make_segment(page, source):
    """Make a segment of whom came from a source; its count stands alongside."""
    await page.get_by_role("link", name="New segment").click()
    await page.get_by_label("Name", exact=True).fill(source)
    await page.get_by_text("Write the condition yourself").click()
    condition = {"op": "all", "of": [{"op": "source", "is_in": [source]}]}
    await page.get_by_label("Condition (JSON)").fill(json.dumps(condition))
    await expect(page.locator("#count")).to_contain_text("3 people")
    await page.get_by_role("button", name="Save the segment").click()
    await read(page, "en")


async def plan(page, name):
    """Plan a campaign for the segment of the page."""
    await page.get_by_role("button", name="Plan a campaign").click()
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Purpose").select_option("offers")
    await page.get_by_label("Channel").select_option("email")
    await page.get_by_label("Currency").select_option("NOK")
    await page.get_by_role("button", name="New campaign").click()
    await page.get_by_role("button", name="New offer").click()
    await page.get_by_label("Product", exact=True).select_option(index=0)
    await page.locator("#offer_add button").click()
    await page.get_by_role("button", name="New cell").click()
    cell = page.locator("#cell_add")
    await cell.get_by_label("Name").fill("All")
    await cell.get_by_label("Template").select_option(index=0)
    await cell.get_by_label("Offer").select_option(index=1)
    await cell.locator("button").click()


async def launch(page):
    """Look at the pre-flight, launch, look on; return the campaign's id."""
    await page.get_by_role("button", name="Run the pre-flight").click()
    await read(page, "en")
    button = page.locator("#flight button")
    await expect(button).to_be_visible()
    signed = page.locator("#launch_signed")
    if await signed.count():
        await signed.get_by_label("Name").fill("Kari")
        await signed.get_by_label("Reason").fill("Read and accepted")
    await button.click()
    await expect(page.locator("#progress")).to_contain_text("finished")
    await read(page, "en")
    return page.url.partition("?")[0].rpartition("/")[2]


async def key_a_response(page, code):
    """Key a response without a mouse; its order is what is told."""
    await page.keyboard.type(code)
    await page.keyboard.press("Enter")
    told = page.locator("section[role=status] .done")
    await expect(told).to_contain_text("ship the order")
    await expect(page.locator("#code")).to_be_focused()
    await page.keyboard.press("Alt+2")
    await expect(page.locator("[value=inquiry]")).to_be_checked()
    await read(page, "en")
    await told.get_by_role("link", name="Order").click()


async def ship(page):
    """Pick and ship the order of the page."""
    await page.get_by_role("button", name="Pick").click()
    await page.get_by_label("Tracking number").fill("NO123")
    await page.get_by_role("button", name="Ship", exact=True).click()
    await expect(page.locator("h1")).to_contain_text("shipped")
    await read(page, "en")


async def test_somebody_new_does_the_main_job(visitor):
    page, run = visitor.page, new_id().hex[-6:]
    await sign_in(visitor)

    await make_segment(page, await import_people(page, run))
    await plan(page, f"Boots {run}")
    campaign = await launch(page)
    code = await code_of(visitor, f"ida.{run}@eksempel.test")
    await visitor.goto("/console/desk")
    await key_a_response(page, code)
    await ship(page)

    async def is_counted() -> bool:
        await visitor.goto(f"/console/reports/{campaign}")
        return await page.locator(".figure").nth(2).inner_text() == "1"

    await eventually(is_counted, message="the order is not in the report")
    await expect(page.locator(".plot canvas").first).to_be_visible()
    await read(page, "en")


async def code_of(visitor, address):
    """Return the response code of somebody's mail, from the mailbox."""
    (mail,) = await eventually(lambda: visitor.mails(to=address), message="no mail came")
    answer = await visitor.context.request.get(
        f"{visitor.house.url}/mailbox/api/mails/{mail['id']}"
    )
    whole = await answer.json()
    found = re.search(r"/r/([A-Z0-9]{10})\b", whole["text"] + whole["html"])
    if found is None:  # links are counted: the code stands behind them
        link = re.search(r"https?://[^\s\"'<>]+/c/[^\s\"'<>]+", whole["text"] + whole["html"])
        assert link is not None
        followed = await visitor.context.request.get(link.group())
        found = re.search(r"/r/([A-Z0-9]+)", followed.url)
    assert found is not None
    return found.group(1)


BEHIND = ("/invoices?state=all", "/payments?state=booked", "/templates", "/orders?state=shipped")
"""Lists of which the first entry is opened."""


async def test_what_stands_behind_a_list_can_be_read(visitor):
    await sign_in(visitor, language="fi")

    for path in BEHIND:
        await visitor.goto(f"/console{path}")
        await visitor.page.locator("main table a").first.click()
        await expect(visitor.page.locator(".by-api")).to_be_visible()
        await read(visitor.page, "fi")


async def test_a_template_is_written_looked_at_checked_and_saved(visitor):
    page = visitor.page
    await sign_in(visitor)
    await visitor.goto("/console/templates/new")
    await page.get_by_label("Name", exact=True).fill(f"Hello {new_id().hex[-6:]}")
    await page.get_by_label("Subject", exact=True).fill("{{ greeting() }}")
    await page.get_by_label("Mail (HTML or MJML)").fill("<p>{{ no_such_field }}</p>")
    await page.get_by_role("button", name="Check").click()
    await expect(page.locator("#findings")).to_contain_text("no_such_field")
    await page.get_by_label("Mail (HTML or MJML)").fill("<p>Hello you</p>")
    await page.get_by_role("button", name="New template").click()
    await page.get_by_role("button", name="Edit").click()
    await read(page, "en")

    await page.get_by_label("Mail (HTML or MJML)").fill("<p>Good day to you</p>")
    await page.get_by_role("button", name="Preview").click()
    frame = page.frame_locator("iframe")
    await expect(frame.locator("body")).to_contain_text("Good day to you")
    await page.get_by_role("button", name="Save a new version").click()

    await expect(page.locator("main .done")).to_be_visible()
    await expect(frame.locator("body")).to_contain_text("Good day to you")


async def test_an_order_is_picked_packed_and_labelled_by_the_keyboard(visitor):
    page, url = visitor.page, visitor.house.url
    key = visitor.house.run("keys", "create", "--role", "administrator").strip()
    headers = {"Authorization": f"Bearer {key}"}
    invoices = await visitor.context.request.get(f"{url}/v1/invoices?limit=1", headers=headers)
    known = (await invoices.json())["items"][0]
    body = {
        "person_id": known["person_id"],
        "lines": [{"sku": known["lines"][0]["sku"]}],
        "ship_to": {"full_name": "Kari Nordmann", "street": "Storgata 9", "postal_code": "0155", "city": "Oslo"},
    }  # fmt: skip
    placed = await visitor.context.request.post(f"{url}/v1/orders", data=body, headers=headers)
    assert placed.ok, await placed.text()
    await sign_in(visitor, role="fulfilment")

    await visitor.goto("/console/waves")
    await page.get_by_label("Orders, at most").fill("1")
    await page.get_by_role("button", name="Make a wave").click()
    await page.get_by_role("button", name="Begin the walk").click()
    await read(page, "en")
    await scan(page, "no such code")
    await expect(page.get_by_role("alert")).to_contain_text("No product has the code")
    visitor.complaints.clear()  # the browser tells of every answer that is not a success
    while await page.locator("#wave_pick").count():
        await scan(page, await page.locator(".walk > p").inner_text())
    await page.get_by_role("link", name="Pack order 1").click()
    await page.get_by_role("button", name="Pack", exact=True).click()
    await expect(page.get_by_role("button", name="Labels (PDF)")).to_be_visible()
    await read(page, "en")
    address = page.url.partition("?")[0].replace("/packing", "/labels.pdf")
    labels = await visitor.context.request.get(address)
    assert (await labels.body()).startswith(b"%PDF")
    await page.get_by_role("button", name="Ship", exact=True).click()
    await expect(page.locator("h1")).to_contain_text("shipped")


async def scan(page, code):
    """Do what a scanner does: it types into the field that has the focus, and ends with Enter."""
    await expect(page.locator("[name=code]")).to_be_focused()
    async with page.expect_navigation():
        await page.keyboard.type(code)
        await page.keyboard.press("Enter")


async def test_a_viewer_sees_no_way_to_change_anything(visitor):
    await sign_in(visitor, role="viewer")

    for path in ("", "/contacts", "/imports", "/segments", "/campaigns", "/orders", "/reports", "/duplicates", "/waves", "/invoices", "/payments", "/templates", "/programmes"):  # fmt: skip
        assert 200 == await visitor.goto(f"/console{path}")
        assert 0 == await visitor.page.locator("main form[method=post]").count()
    assert 403 == await visitor.goto("/console/keys")
    visitor.complaints.clear()  # the browser tells of every answer that is not a success
