"""Pages: what they ask the API in whose name, what they show of a refusal, and who may see them."""

import re

import pytest

from gateway.console import registry
from gateway.keys.roles import SCOPES
from kantis_kit.auth.principal import Principal


async def test_a_page_ends_with_the_calls_that_made_it_and_those_of_its_forms(console):
    browser = await console.browser("administrator")

    page = (await browser.get("/console/keys")).text

    told = page.split('class="by-api"', 1)[1]
    assert "$KANTIS_URL/v1/keys?limit=100" in told
    assert "-X POST" in told
    assert "-X DELETE" in told
    assert "/v1/keys/{key_id}" in told


async def test_a_form_is_a_call_of_the_api_in_the_name_of_the_person(console):
    browser = await console.browser("administrator")

    made = await browser.send("/console/keys", "key_make", name="Wall", role="viewer")

    (key,) = re.findall(r"kantis_[0-9a-f]{12}_[\w-]+", made.text)
    pool = await console.gateway.database.pool()
    (user,) = await pool.fetch("SELECT id FROM console_user")
    (row,) = await pool.fetch("SELECT name, role, created_by FROM api_key")
    assert ("Wall", "viewer", str(user["id"])) == tuple(row)
    assert key not in (await browser.get("/console/keys")).text


async def test_what_the_api_refuses_is_shown_at_the_field_and_nothing_typed_is_lost(console):
    browser = await console.browser("administrator")

    answer = await browser.send("/console/keys", "key_make", name="x" * 201, role="viewer")

    assert 422 == answer.status_code
    assert 'id="key_make-name-wrong"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{"x" * 201}"' in answer.text


async def test_a_form_that_is_sent_twice_has_its_effect_once(console):
    browser = await console.browser("administrator")

    for _ in range(2):
        await browser.send("/console/keys", "key_make", name="Once", role="viewer", _key="one-key")

    pool = await console.gateway.database.pool()
    assert 1 == await pool.fetchval("SELECT count(*) FROM api_key")


async def test_names_are_shown_as_text(console):
    browser = await console.browser("administrator")

    await browser.send("/console/keys", "key_make", name="<script>alert(1)</script>", role="viewer")
    page = (await browser.get("/console/keys")).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("role", ["marketer", "fulfilment", "bookkeeper", "developer", "viewer"])
async def test_nobody_sees_a_page_or_sends_a_form_without_its_scope(console, role):
    browser = await console.browser(role)
    principal = Principal("x", "x", SCOPES[role])
    for route in registry.PAGES:
        if route.needs and not principal.may(route.needs) and "{" not in route.address:
            assert 403 == (await browser.get(route.address)).status_code, route.address
            entry = f'href="{route.address}"'
            assert entry not in (await browser.get("/console")).text


async def test_a_form_that_the_role_may_not_send_is_neither_shown_nor_taken(console):
    browser = await console.browser("developer")
    page = await browser.get("/console/operations")

    sent = await browser.send("/console/operations", "parked_replay", service="contacts")

    assert 200 == page.status_code
    assert "parked/replay" not in page.text
    assert 403 == sent.status_code


async def test_another_role_and_a_disabling_sign_out(console):
    admin = await console.browser("administrator")
    viewer = await console.browser("viewer")
    pool = await console.gateway.database.pool()
    user = await pool.fetchval("SELECT id FROM console_user WHERE role = 'viewer'")

    fields = {"name": "V", "language": "en"}
    await admin.send(f"/console/users/{user}", "user_change", role="marketer", **fields)

    assert 303 == (await viewer.get("/console")).status_code
    own = await pool.fetchval("SELECT id FROM console_user WHERE role = 'administrator'")
    last = await admin.send(f"/console/users/{own}", "user_change", role="viewer", **fields)
    assert 422 == last.status_code
    assert "administrator" in last.text


async def test_a_service_that_is_away_leaves_the_rest_of_the_page(console, monkeypatch):
    browser = await console.browser("administrator", language="nb")

    page = await browser.get("/console")

    assert 200 == page.status_code
    assert "Tjenesten svarer ikke nå." in page.text  # there is no messaging here
    assert '<html lang="nb">' in page.text


async def test_pages_run_nothing_from_elsewhere_and_are_not_kept(console):
    browser = await console.browser("viewer")

    for path in ("/console", "/console/sessions", "/console/nowhere", "/console/welcome/x"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "no-store" == headers["cache-control"]
        assert "same-origin" == headers["referrer-policy"]


async def test_a_file_is_kept_for_ever_and_an_old_address_is_not_there(console):
    browser = await console.browser()
    page = (await browser.get("/console/sign-in")).text
    (address,) = re.findall(r'href="(/console/assets/[^"]+console.css)"', page)

    good = await browser.get(address)
    old = await browser.get(address.replace(address.split("/")[3], "0" * 16))

    assert "immutable" in good.headers["cache-control"]
    assert 404 == old.status_code


async def test_the_console_takes_get_and_post_alone_and_no_other_page(console):
    browser = await console.browser("administrator")

    assert 405 == (await browser.client.delete("/console/keys")).status_code
    assert 404 == (await browser.get("/console/nowhere")).status_code
    assert (200, b"") == ((head := await browser.client.head("/console")).status_code, head.content)


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(console):
    browser = await console.browser("administrator")

    answer = await browser.post("/console/keys", {"name": "x" * 2_000_000})

    assert 413 == answer.status_code
