"""What the gateway shows itself: the first page, probes, metrics."""

import pytest

from gateway.console.texts import LANGUAGES, NAMES, TEXTS, choose
from gateway.main import build_gateway


def test_every_language_has_every_text():
    keys = {frozenset(texts) for texts in TEXTS.values()}

    assert set(LANGUAGES) == set(TEXTS) == set(NAMES)
    assert 1 == len(keys)
    assert all(text.strip() for texts in TEXTS.values() for text in texts.values())


@pytest.mark.parametrize(
    ("accept", "wanted", "expected"),
    [
        ("", "", "en"),
        ("fi;q=0.2, sv;q=0.9", "", "sv"),
        ("nn", "", "nb"),
        ("sv", "fi", "fi"),
        ("sv", "xx", "sv"),
        ("*;q=x, da", "", "da"),
        ("de-AT, *", "", "en"),
    ],
)
def test_the_language_is_what_the_reader_prefers(accept, wanted, expected):
    assert expected == choose(accept, wanted)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_first_page_speaks_every_language_and_runs_nothing(world_for, language):
    world = await world_for()

    async with world.client() as client:
        answer = await client.get(f"/?lang={language}")
        style = await client.get("/console.css")

    assert 200 == answer.status_code
    assert f'<html lang="{language}">' in answer.text
    assert language == answer.headers["content-language"]
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "text/css; charset=utf-8" == style.headers["content-type"]
    assert 'href="/docs"' in answer.text
    assert "/mailbox" not in answer.text


async def test_the_mailbox_is_linked_and_reached_where_there_is_one(world_for):
    world = await world_for()
    seen = []

    async def mailbox(scope, receive, send):
        seen.append((scope["path"], dict(scope["headers"]).get(b"authorization")))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"mails"})

    world.app = build_gateway(
        world.gateway,
        world.upstreams,
        extra_upstreams={"/mailbox": mailbox, "/v1/mailbox": mailbox},
    )
    key = await world.key()
    async with world.client() as visitor, world.client(key) as client:
        page = await visitor.get("/")
        mails = await visitor.get("/mailbox/7")
        refused = await visitor.get("/v1/mailbox")
        keyed = await client.get("/v1/mailbox")
        ready = await visitor.get("/readyz")

    assert 'href="/mailbox"' in page.text
    assert ("mails", 401, "mails") == (mails.text, refused.status_code, keyed.text)
    assert ("/mailbox/7", None) == seen[0]
    assert seen[1][1].startswith(b"Bearer ey")
    assert "mailbox" not in ready.json()["services"]


async def test_alive_is_alive_whatever_else_is_not(world):
    for switch in world.switches.values():
        switch.away = True

    async with world.client() as client:
        answer = await client.get("/livez")

    assert 200 == answer.status_code


async def test_ready_means_that_every_service_is(world):
    async with world.client(address="127.0.0.1") as client:
        good = await client.get("/readyz")
        world.switches["orders"].away = True
        bad = await client.get("/readyz")

    assert 200 == good.status_code
    assert {"gateway", "contacts", "orders"} == good.json()["services"].keys()
    assert "database" in good.json()["services"]["contacts"]["checks"]
    assert 503 == bad.status_code
    assert int(bad.headers["retry-after"]) > 0
    states = bad.json()["services"]
    assert (True, False) == (states["contacts"]["ok"], states["orders"]["ok"])


async def test_a_gateway_that_stops_is_not_ready(world_for):
    world = await world_for()
    world.gateway.stopping = True

    async with world.client() as client:
        answer = await client.get("/readyz")

    assert 503 == answer.status_code


async def test_details_are_for_the_inside_only(world_for):
    world = await world_for()

    async with world.client() as outside, world.client(address="127.0.0.1") as inside:
        states = (await outside.get("/readyz")).json()["services"]
        proxied = await inside.get("/readyz", headers={"X-Forwarded-For": "192.0.2.1"})

    assert {"ok": True} == states["contacts"] == proxied.json()["services"]["contacts"]


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.1", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
        ("192.0.2.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
    ],
)
async def test_metrics_are_for_the_inside_only(world_for, address, headers, status):
    world = await world_for()

    async with world.client(address=address) as client:
        answer = await client.get("/metrics", headers=headers)

    assert status == answer.status_code
    assert (status == 200) == ("kantis_http_request_seconds" in answer.text)


async def test_metrics_name_routes_and_never_addresses_of_people(world_for):
    world = await world_for()
    key, somebody = await world.key(), "01930000-0000-7000-8000-000000000000"

    async with world.client(key, address="127.0.0.1") as client:
        await client.get(f"/v1/contacts/{somebody}")
        await client.request("BREW", "/v1/contacts")
        told = (await client.get("/metrics")).text

    edge = [line for line in told.splitlines() if 'service="edge"' in line]
    assert any('route="/v1/contacts"' in line for line in edge)
    assert somebody not in "".join(edge)
    assert "BREW" not in "".join(edge)


async def test_own_pages_can_only_be_read(world_for):
    world = await world_for()

    async with world.client() as client:
        posted = await client.post("/")
        brewed = await client.request("BREW", "/")
        head = await client.head("/")

    for refused in (posted, brewed):
        assert (405, "GET, HEAD") == (refused.status_code, refused.headers["allow"])
    assert (200, b"") == (head.status_code, head.content)


async def test_answers_are_not_kept_by_caches_and_name_no_server(world):
    key = await world.key()

    async with world.client(key) as client:
        answers = [await client.get(path) for path in ("/", "/v1/contacts", "/nowhere", "/f/a")]

    for answer in answers:
        assert "no-store" == answer.headers["cache-control"]
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "server" not in answer.headers


async def test_other_protocols_are_closed(world_for):
    world = await world_for()
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "lifespan.shutdown"}

    await world.app({"type": "websocket", "path": "/"}, receive, send)
    await world.app({"type": "lifespan"}, receive, send)

    assert ["websocket.close", "lifespan.shutdown.complete"] == [m["type"] for m in sent]
