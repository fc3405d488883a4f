"""Visits: kept with consent, joined to the person who shows who they are, and never to anybody else."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from contacts_svc.main import SPEC
from contacts_svc.visits.jobs import forget_old
from contacts_svc.visits.model import is_machine
from kantis_contracts.contacts import ConfirmationRequestedV1
from kantis_kit.ids import new_id
from kantis_kit.tx import write

SHOP = "https://shop.example"
HEADERS = {"Origin": SHOP, "User-Agent": "Mozilla/5.0 Firefox/150", "Content-Type": "text/plain"}
FORM = {
    "key": "autumn",
    "source": "Autumn",
    "titles": {"nb": "Høst"},
    "consent": {"nb": {"version": "1", "text": "Ja, send meg nyhetsbrev."}},
    "default_language": "nb",
}


async def make_site(rig):
    async with rig.client() as client:
        answer = await client.put("/v1/visits/sites/shop", json={"origins": [SHOP]})
        await client.post("/v1/forms", json=FORM)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def make_contact(rig, name):
    async with rig.client() as client:
        answer = await client.post(
            "/v1/contacts", json={"full_name": name, "email": f"{name.lower()}@example.com"}
        )
    return answer.json()["id"]


def view(path, **more):
    return {"id": str(new_id()), "path": path, "title": path, **more}


async def see(rig, visitor, *paths, headers=None, **more):
    import orjson

    views = [path if isinstance(path, dict) else view(path) for path in paths]
    body = {
        "site": "shop",
        "visitor": str(visitor),
        "consent": True,
        "consent_version": "1",
        "views": views,
        **more,
    }
    async with rig.anonymous() as browser:
        return await browser.post(
            "/v/seen", content=orjson.dumps(body), headers={**HEADERS, **(headers or {})}
        )


async def visits_of(rig, person_id):
    async with rig.client() as client:
        answer = await client.get(f"/v1/contacts/{person_id}/visits")
    assert answer.status_code == 200, answer.text
    return [one["path"] for one in answer.json()["items"]]


async def link_to(rig, person_id):
    async with rig.client() as client:
        return (await client.post(f"/v1/contacts/{person_id}/visits/link")).json()["token"]


async def views_kept(rig):
    pool = await rig.service.database.pool()
    return await pool.fetchval("SELECT count(*) FROM page_view")


async def post_lead(rig, name, visitor, *, confirm=True):
    async with rig.anonymous() as browser:
        answer = await browser.post(
            "/f/autumn",
            json={
                "full_name": name,
                "email": f"{name.lower()}@example.com",
                "consent": True,
                "visitor": str(visitor),
            },
        )
        assert answer.status_code == 202, answer.text
        await rig.drain()
        asked = rig.items(ConfirmationRequestedV1)[-1]
        if confirm:
            await browser.post(asked.confirm_path)
    return asked


async def test_what_a_visitor_saw_before_they_told_who_they_are_becomes_theirs(rig_for):
    rig = await rig_for(replace(SPEC, loops=()))  # who follows the touched would take them
    await make_site(rig)
    anna = await make_contact(rig, "Anna")
    visitor = new_id()
    await see(rig, visitor, "/boots", "/tents?mail=anna@example.com#top")
    rig.clock.advance(timedelta(minutes=1))

    await post_lead(rig, "Anna", visitor, confirm=False)
    before = await visits_of(rig, anna)
    async with rig.anonymous() as browser:
        await browser.post(rig.items(ConfirmationRequestedV1)[-1].confirm_path)
    await see(rig, visitor, "/socks")

    assert [] == before  # anybody could have typed the address
    after = await visits_of(rig, anna)
    assert "/socks" == after[0]
    assert {"/boots", "/tents", "/socks"} == set(after)
    pool = await rig.service.database.pool()
    assert 0 < await pool.fetchval(
        "SELECT count(*) FROM touched_person WHERE person_id = $1 AND families & 64 > 0", anna
    )


async def test_a_second_person_at_the_same_browser_is_another_visitor(rig_for):
    rig = await rig_for(SPEC)
    await make_site(rig)
    anna, bert = await make_contact(rig, "Anna"), await make_contact(rig, "Bert")
    device = new_id()
    await see(rig, device, "/annas")
    await post_lead(rig, "Anna", device)
    await see(rig, device, "/annas-too")

    # Bert has typed his address, and not confirmed yet: what is looked at now is not Anna's any more.
    asked = await post_lead(rig, "Bert", device, confirm=False)
    between = await see(rig, device, "/berts")
    unsure = (await visits_of(rig, anna), await visits_of(rig, bert))
    async with rig.anonymous() as browser:
        await browser.post(asked.confirm_path)
    await see(rig, between.json()["visitor"], "/berts-too")
    await see(rig, device, "/berts-old-page")  # an open tab still has the old id

    assert str(device) != between.json()["visitor"]
    assert ({"/annas", "/annas-too"}, []) == (set(unsure[0]), unsure[1])
    assert {"/annas", "/annas-too"} == set(await visits_of(rig, anna))
    assert {"/berts", "/berts-too", "/berts-old-page"} == set(await visits_of(rig, bert))


async def test_a_link_names_its_reader_and_a_forwarded_one_starts_a_new_visitor(rig_for):
    rig = await rig_for(SPEC)
    await make_site(rig)
    anna, bert = await make_contact(rig, "Anna"), await make_contact(rig, "Bert")
    device = new_id()

    first = await see(rig, device, "/a", token=await link_to(rig, anna))
    second = await see(rig, device, "/b", token=await link_to(rig, bert))
    forged = await see(rig, new_id(), "/c", token="AAAA")

    assert str(device) == first.json()["visitor"] != second.json()["visitor"]
    assert (["/a"], ["/b"]) == (await visits_of(rig, anna), await visits_of(rig, bert))
    assert 200 == forged.status_code


async def test_a_report_that_is_sent_again_counts_once(rig_for):
    rig = await rig_for(SPEC)
    await make_site(rig)
    visitor, views = new_id(), [view("/a"), view("/b")]

    answers = await asyncio.gather(*(see(rig, visitor, *views) for _ in range(4)))

    assert {200} == {one.status_code for one in answers}
    assert 2 == await views_kept(rig)


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        ({"User-Agent": "Googlebot/2.1"}, {}),
        ({"User-Agent": "HeadlessChrome/130"}, {}),
        ({"User-Agent": ""}, {}),
        ({"Sec-GPC": "1"}, {}),
        ({}, {"consent": False}),
    ],
)
async def test_machines_and_those_who_object_are_answered_and_not_kept(rig_for, headers, more):
    rig = await rig_for(SPEC)
    await make_site(rig)

    answer = await see(rig, new_id(), "/a", headers=headers, **more)

    assert 200 == answer.status_code
    pool = await rig.service.database.pool()
    assert 0 == await views_kept(rig) + await pool.fetchval("SELECT count(*) FROM visitor")


async def test_who_takes_the_consent_back_is_forgotten_and_others_at_the_browser_are_not(rig_for):
    rig = await rig_for(SPEC)
    await make_site(rig)
    anna, bert = await make_contact(rig, "Anna"), await make_contact(rig, "Bert")
    device = new_id()
    await see(rig, device, "/a", token=await link_to(rig, anna))
    now = (await see(rig, device, "/b", token=await link_to(rig, bert))).json()["visitor"]

    await see(rig, now, consent=False)

    assert (["/a"], []) == (await visits_of(rig, anna), await visits_of(rig, bert))
    assert 1 == await views_kept(rig)


async def test_erasing_a_person_erases_their_visits(rig_for):
    rig = await rig_for(SPEC)
    await make_site(rig)
    anna = await make_contact(rig, "Anna")
    await see(rig, new_id(), "/a", token=await link_to(rig, anna))

    async with rig.client() as client:
        erased = await client.delete(f"/v1/contacts/{anna}")
        gone = await client.get(f"/v1/contacts/{anna}/visits")

    assert erased.is_success, erased.text
    assert 404 == gone.status_code
    assert 0 == await views_kept(rig)


@pytest.mark.parametrize(
    ("change", "headers", "status", "told"),
    [
        ({"site": "nowhere"}, {}, 404, "sites"),
        ({}, {"Origin": "https://evil.example"}, 403, "origins"),
        ({"consent_version": ""}, {}, 422, "consent_version"),
        ({"visitor": "me"}, {}, 422, "visitor"),
        ({"views": [view("/a") for _ in range(51)]}, {}, 422, "views"),
        ({"views": [view("/a", ago_ms=-1)]}, {}, 422, "ago_ms"),
        ({"views": [view("a\x00")]}, {}, 422, "NUL"),
    ],
)
async def test_a_report_that_cannot_be_is_refused_with_the_reason(
    rig_for, change, headers, status, told
):
    rig = await rig_for(SPEC, start=False)
    await make_site(rig)

    answer = await see(rig, change.pop("visitor", new_id()), headers=headers, **change)

    assert status == answer.status_code, answer.text
    assert told in answer.json()["detail"]
    assert 0 == await views_kept(rig)


async def test_the_script_is_ours_and_sends_nothing_before_the_visitor_agrees(rig_for):
    rig = await rig_for(SPEC, start=False)
    site = await make_site(rig)

    async with rig.anonymous() as browser:
        script = await browser.get("/v/shop.js")
        none = await browser.get("/v/none.js")

    assert '<script src="http://kantis.test/v/shop.js" defer></script>' == site["tag"]
    assert script.headers["content-type"].startswith("text/javascript")
    assert '"http://kantis.test/v/seen"' in script.text
    assert "document.cookie" not in script.text
    assert 404 == none.status_code


async def test_visits_come_page_by_page(rig_for):
    rig = await rig_for(SPEC)
    await make_site(rig)
    anna = await make_contact(rig, "Anna")
    token = await link_to(rig, anna)
    await see(rig, new_id(), *(view(f"/{n}", ago_ms=n * 1000) for n in range(5)), token=token)

    found, cursor = [], None
    async with rig.client() as client:
        while True:
            query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await client.get(f"/v1/contacts/{anna}/visits", params=query)).json()
            found += [one["path"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break

    assert [f"/{n}" for n in range(5)] == found


async def test_strangers_are_forgotten_after_three_months_and_views_after_thirteen(rig_for):
    rig = await rig_for(SPEC)
    await make_site(rig)
    anna = await make_contact(rig, "Anna")
    device, stranger = new_id(), new_id()
    await see(rig, device, "/a", token=await link_to(rig, anna))
    await see(rig, stranger, "/s")

    async def later(days):
        rig.clock.advance(timedelta(days=days))
        async with write(rig.service.scope) as tx:
            await forget_old.function(tx)
        return await visits_of(rig, anna), await views_kept(rig)

    assert (["/a"], 2) == await later(80)
    assert (["/a"], 1) == await later(20)
    assert ([], 0) == await later(300)
    pool = await rig.service.database.pool()
    assert 0 == await pool.fetchval("SELECT count(*) FROM visitor")


def test_a_person_is_not_taken_for_a_machine():
    people = [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140",
        "Mozilla/5.0 (Linux; Android 15; CUBOT X30) AppleWebKit/537.36",
    ]

    assert not any(is_machine(agent) for agent in people)
    assert all(is_machine(agent) for agent in ("", "curl/8", "bingbot/2.0", "AhrefsBot/7"))
