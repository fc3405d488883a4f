"""Somebody is invited, signs up on a page in their language, has the moment in their calendar, and may think better of it."""

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.campaign import StepRequestedV1
from kantis_contracts.contacts import PersonCard, PersonChangedV1
from kantis_kit.ids import new_id

SAY = {"ways": [{"channel": "email", "template_id": str(new_id())}]}
EVENT = {
    "kind": "content", "content": "webinar", "title": "Varme & lys", "say": SAY, "place": "Zoom",
    "begins_at": "2026-05-05T18:00:00+02:00", "next": "wait",
}  # fmt: skip
GRAPH = {
    "trigger": {"on": "hand"}, "start": "webinar",
    "steps": {
        "webinar": EVENT,
        "wait": {
            "kind": "wait_for", "event": "signed_up.webinar", "within_days": 30, "next": "thanks", "timed_out": "no",
        },
        "thanks": {"kind": "goal", "goal": "came"},
        "no": {"kind": "end"},
    },
}  # fmt: skip
SIGNED_UP = {
    "nb": "Du er påmeldt.", "sv": "Du är anmäld.", "da": "Du er tilmeldt.", "fi": "Olet ilmoittautunut.",
    "en": "You are signed up.",
}  # fmt: skip


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC)


async def invite(rig, *people):
    """Begin the programme for people; return its path, and the path of each page as the message names it."""
    cards = [PersonCard(person_id=one, version=1, country="FI") for one in people]
    await rig.publish(PersonChangedV1(items=tuple(cards)))
    await rig.drain()
    async with rig.client() as client:
        made = await client.post("/v1/programmes", json={"name": "Vår", "graph": GRAPH})
        path = f"/v1/programmes/{made.json()['id']}"
        await client.post(f"{path}/publish")
        items = [{"person_id": str(one)} for one in people]
        await client.post(f"{path}/runs", json={"items": items})
    await rig.drain()
    urls = {
        one.person_id: one.facts["signup_url"].removeprefix("http://kantis.test")
        for event in rig.published(StepRequestedV1)
        for one in event.items
    }
    return path, [urls[one] for one in people]


async def test_who_is_invited_signs_up_once_and_the_programme_goes_on(rig):
    kari = new_id()
    path, [page] = await invite(rig, kari)
    async with rig.anonymous() as visitor:
        shown = await visitor.get(page, params={"lang": "fi"})
        done = {
            one: await visitor.post(page, params={"lang": one}, data={"decision": "come"})
            for one in SIGNED_UP
        }
        file = await visitor.get(f"{page}/calendar.ics")
    await rig.drain()
    async with rig.client() as client:
        [run] = (await client.get(f"{path}/runs")).json()["items"]
        signed = (await client.get(f"{path}/steps/webinar/sign-ups")).json()["items"]

    assert "Varme &amp; lys" in shown.text
    assert "05.05.2026 klo 19.00 (Europe/Helsinki)" in shown.text
    assert "Ilmoittaudun" in shown.text
    assert str(kari) not in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    for language, sentence in SIGNED_UP.items():
        assert sentence in done[language].text
    assert b"DTSTART:20260505T160000Z" in file.content
    assert "text/calendar" in file.headers["content-type"]
    assert ("ended", "came") == (run["state"], run["outcome"])
    assert [(str(kari), "nb", None)] == [
        (one["person_id"], one["language"], one["cancelled_at"]) for one in signed
    ]


async def test_who_signs_off_is_off_and_may_come_back(rig):
    kari = new_id()
    path, [page] = await invite(rig, kari)
    async with rig.anonymous() as visitor:
        none = await visitor.post(page, data={"decision": "stay_away"})
        await visitor.post(page, data={"decision": "come"})
        off = await visitor.post(page, data={"decision": "stay_away"}, params={"lang": "sv"})
        async with rig.client() as client:
            between = (await client.get(f"{path}/steps/webinar/sign-ups")).json()["items"]
        back = await visitor.post(page, data={"decision": "come"}, params={"lang": "da"})

    assert "You are invited." in none.text
    assert "Du är avanmäld." in off.text
    assert [False] == [one["cancelled_at"] is None for one in between]
    assert "Du er tilmeldt." in back.text


async def test_a_link_that_is_forged_or_of_the_past_says_so_and_changes_nothing(rig):
    path, [page] = await invite(rig, new_id())
    async with rig.anonymous() as visitor:
        forged = await visitor.get(page[:-2] + ("AA" if page[-2:] != "AA" else "BB"))
        file = await visitor.get("/e/nothing/calendar.ics")
        odd = await visitor.post(page, data={"decision": "perhaps"})
        rig.clock.set(rig.clock.now().replace(year=2026, month=5, day=6))
        over = [await visitor.get(page, params={"lang": "nb"}), await visitor.post(page)]
    async with rig.client() as client:
        signed = (await client.get(f"{path}/steps/webinar/sign-ups")).json()["items"]

    assert (404, 404, 422) == (forged.status_code, file.status_code, odd.status_code)
    assert "The link is not valid" in forged.text
    assert [410, 410] == [one.status_code for one in over]
    assert "Arrangementet er over" in over[0].text
    assert [] == signed
