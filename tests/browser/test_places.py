"""A place on a page of a shop, filled by the script: for a stranger, and for who agrees and came by a link of theirs."""

import re

import pytest
from playwright.async_api import expect

from kantis_kit.ids import new_id

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),  # the browser's
    pytest.mark.timeout(600),  # the first test waits for the house and its demonstration
]


async def test_a_stranger_sees_what_is_for_everybody_and_closes_it(visitor):
    key = f"front-{new_id().hex[-12:]}"
    headers = {
        "Authorization": f"Bearer {visitor.house.run('keys', 'create', '--role', 'administrator').strip()}"
    }
    call = visitor.context.request
    place = f"{visitor.house.url}/v1/places/{key}"
    made = await call.put(place, data={"name": "Front"}, headers=headers)
    assert made.ok, await made.text()
    text = '<p onclick="alert(1)">Welcome <a href="#dismiss">Close</a></p><script>alert(2)</script>'
    added = await call.post(
        f"{place}/contents", data={"name": "Hello", "languages": {"en": text}}, headers=headers
    )
    assert added.ok, await added.text()
    tag = re.sub(r'src="https?://[^/"]+', f'src="{visitor.house.url}', (await made.json())["tag"])
    page = f"<!doctype html><html lang=en><head><link rel=icon href=data:,></head><body>{tag}</body></html>"
    await visitor.page.route(
        "**/shop.html", lambda route: route.fulfill(body=page, content_type="text/html")
    )

    await visitor.goto("/shop.html")

    shown = visitor.page.locator(f"[data-kantis-place={key}]")
    await expect(shown).to_have_text("Welcome Close")
    assert "onclick" not in await shown.inner_html()
    await shown.get_by_role("link", name="Close").click()
    await expect(shown).to_be_empty()
    await visitor.goto("/shop.html")
    await expect(shown).to_be_empty()
    assert not [url for url in visitor.asked if url.endswith("/w/seen")], "nobody has agreed"

    async with visitor.page.expect_response("**/w/seen"):
        await visitor.page.evaluate("sessionStorage.clear(); kantisPlaces.consent(true)")

    await expect(shown).to_have_text("Welcome Close")
    async with visitor.page.expect_response("**/w/seen"):
        await shown.get_by_role("link", name="Close").click()
    figures = await (await call.get(f"{place}/figures", headers=headers)).json()
    assert (1, 1) == (figures[0]["shown"], figures[0]["dismissed"])
