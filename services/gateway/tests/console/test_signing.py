"""Signing in: who gets in, who does not, and what a browser is told."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from gateway.keys.usecases import create_key
from gateway.main import build_gateway
from gateway.users.schemas import UserIn
from gateway.users.usecases import add_user, make_first_link
from kantis_kit.tx import read, write


async def test_who_is_not_signed_in_is_led_to_the_door_and_then_back(console):
    browser = await console.browser()
    email = await console.add("viewer")

    led = await browser.get("/console/contacts")
    shown = await browser.get(led.headers["location"])
    back = await browser.post(
        led.headers["location"], {"email": email, "password": "four plain words here"}
    )

    assert (303, "/console/sign-in?next=/console/contacts") == (
        led.status_code,
        led.headers["location"],
    )
    assert 200 == shown.status_code
    assert (303, "/console/contacts") == (back.status_code, back.headers["location"])


@pytest.mark.parametrize(
    "onward", ["//evil.test", "https://evil.test/", "/console/..//evil", "/f/x", "/console/%5C"]
)
async def test_the_door_leads_to_the_console_alone(console, onward):
    browser = await console.browser()
    email = await console.add("viewer")

    answer = await browser.post(
        f"/console/sign-in?next={onward}", {"email": email, "password": "four plain words here"}
    )

    assert answer.headers["location"] in ("/console", "/console/%5C")


async def test_unknown_account_and_wrong_password_are_told_alike(console):
    browser = await console.browser()
    email = await console.add("viewer")

    wrong = await browser.sign_in(email, "something else entirely")
    unknown = await browser.sign_in("nobody.at@example.test", "something else entirely")

    assert 401 == wrong.status_code == unknown.status_code
    assert wrong.text.replace(email, "") == unknown.text.replace("nobody.at@example.test", "")
    assert "set-cookie" not in wrong.headers


async def test_who_guesses_waits_longer_each_time_known_account_or_not(console):
    browser = await console.browser()
    email = await console.add("viewer")

    for account in (email, "nobody@example.test"):
        told = [(await browser.sign_in(account, f"guess number {n}")).status_code for n in range(5)]
        assert [401, 401, 401, 429, 429] == told
    right = await browser.sign_in(email)
    console.rig.clock.advance(timedelta(seconds=3))
    later = await browser.sign_in(email)

    assert (429, 303) == (right.status_code, later.status_code)
    assert int(right.headers["retry-after"]) > 0


async def test_the_cookie_is_for_this_console_alone(console):
    browser = await console.browser()
    answer = await browser.sign_in(await console.add("viewer"))

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/console" in cookie


async def test_under_https_the_cookie_is_bound_to_the_host(world_for, quick_hashes):
    world = await world_for()
    world.gateway.settings.public_url = "https://kantis.test"
    world.app = build_gateway(world.gateway, world.upstreams)
    async with write(world.gateway.scope) as tx:
        token = await make_first_link(tx)
    async with world.client() as client:
        answer = await client.post(
            f"/console/welcome/{token}",
            data={"email": "a@example.test", "name": "A", "password": "four plain words here"},
            headers={"Origin": "https://kantis.test"},
        )

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-kantis=")
    assert "Secure" in cookie
    assert "Path=/;" in cookie + ";"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_what_another_site_sends_is_refused(console, headers):
    browser = await console.browser("administrator")

    signed_out = await browser.post("/console/sign-out", {"_csrf": "x"}, **headers)
    signed_in = await browser.post("/console/sign-in", {"email": "a", "password": "b"}, **headers)

    assert 403 == signed_out.status_code == signed_in.status_code


async def test_a_form_without_the_token_of_the_session_is_refused(console):
    browser = await console.browser("administrator")

    for path in ("/console", "/console/sessions", "/console/sign-out"):
        assert 403 == (await browser.post(path, {"_csrf": "0" * 64, "_form": "x"})).status_code


async def test_signing_out_ends_the_session(console):
    browser = await console.browser("viewer")
    token = browser.client.cookies["kantis"]
    csrf = re.search(
        r'name="_csrf" value="([0-9a-f]+)"', (await browser.get("/console")).text
    ).group(1)

    answer = await browser.post("/console/sign-out", {"_csrf": csrf})
    browser.client.cookies.set("kantis", token)
    after = await browser.get("/console")

    assert (303, 303) == (answer.status_code, after.status_code)


async def test_a_session_ends_when_nobody_uses_it_and_at_the_latest_after_half_a_day(console):
    idle, busy = await console.browser("viewer"), await console.browser("viewer")
    console.rig.clock.advance(timedelta(minutes=90))
    assert 200 == (await busy.get("/console")).status_code
    console.rig.clock.advance(timedelta(minutes=90))
    assert 303 == (await idle.get("/console")).status_code
    for _ in range(9):
        assert 200 == (await busy.get("/console")).status_code
        console.rig.clock.advance(timedelta(hours=1))
    assert 303 == (await busy.get("/console")).status_code


async def test_sessions_are_listed_and_one_can_be_ended(console):
    email = await console.add("viewer")
    here, there = await console.browser(), await console.browser()
    await here.sign_in(email)
    await there.sign_in(email)

    page = (await here.get("/console/sessions")).text
    csrf = re.search(r'name="_csrf" value="([0-9a-f]+)"', page).group(1)
    (other,) = re.findall(r'name="session" value="([^"]+)"', page)
    await here.post("/console/sessions", {"_csrf": csrf, "session": other})

    assert (200, 303) == (
        (await here.get("/console")).status_code,
        (await there.get("/console")).status_code,
    )


async def test_the_first_user_is_made_by_the_link_and_the_link_is_good_once(console):
    async with write(console.gateway.scope) as tx:
        token = await make_first_link(tx)
    browser = await console.browser()
    path = f"/console/welcome/{token}"

    for _ in range(2):
        assert 200 == (await browser.get(path)).status_code
    form = {"email": "Owner@Example.test", "name": "Owner", "password": "short"}
    short = await browser.post(path, form)
    made = await browser.post(path, {**form, "password": "four plain words here"})
    home = await browser.get("/console")
    again = await browser.post(path, {**form, "password": "four plain words here"})

    assert (422, 303, 200, 404) == (
        short.status_code,
        made.status_code,
        home.status_code,
        again.status_code,
    )
    assert 'id="password-wrong"' in short.text
    async with write(console.gateway.scope) as tx:
        assert await make_first_link(tx) is None


async def test_a_link_sets_a_password_anew_and_ends_the_sessions(console):
    browser = await console.browser("administrator")
    (user_id,) = [u["id"] for u in await users_of(console)]
    key = await console_key(console)
    async with world_client(console, key) as client:
        link = (await client.post(f"/v1/users/{user_id}/links")).json()["link"]
    visitor = await console.browser()

    answer = await visitor.post(
        link.removeprefix("http://kantis.test"), {"password": "other words for today"}
    )

    assert 303 == answer.status_code
    assert 303 == (await browser.get("/console")).status_code


async def users_of(console):
    async with read(console.gateway.scope) as tx:
        rows = await tx.execute(text("SELECT id, email FROM console_user ORDER BY id"))
        return [dict(row._mapping) for row in rows]


async def console_key(console):
    async with write(console.gateway.scope) as tx:
        return (await create_key(tx, "administrator", "test"))[1]


def world_client(console, key):
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=console.app),
        base_url="http://kantis.test",
        headers={"Authorization": f"Bearer {key}"},
    )


async def test_nothing_that_lets_anybody_in_is_stored(console):
    browser = await console.browser("viewer")
    token = browser.client.cookies["kantis"]
    async with write(console.gateway.scope) as tx:
        _, link = await add_user(tx, UserIn(email="b@example.test", name="B", role="viewer"))

    pool = await console.gateway.database.pool()
    tables = ("console_user", "console_session", "console_link", "audit")
    stored = str([list(await pool.fetch(f"SELECT * FROM {name}")) for name in tables])

    for secret in (token, link, "four plain words here"):
        assert secret not in stored
