"""Leads: from a form to a proven permission."""

import re
from datetime import timedelta

from contacts_svc.main import SPEC
from kantis_contracts.contacts import (
    ConfirmationRequestedV1,
    LeadReceivedV1,
    PermissionChangedV1,
    PermissionState,
    PersonChangedV1,
)

FORM = {
    "key": "autumn",
    "source": "Autumn competition",
    "purposes": ["newsletter", "offers"],
    "titles": {"nb": "Få høstnytt", "en": "Autumn news"},
    "consent": {
        "nb": {"version": "1", "text": "Ja, send meg nyhetsbrev og tilbud på e-post."},
        "en": {"version": "1", "text": "Yes, send me news and offers by e-mail."},
    },
    "default_language": "nb",
    "redirects": ["https://shop.example/thanks"],
    "origins": ["https://shop.example"],
}
LEAD = {"full_name": "Åse Bjørk", "email": "ase@example.com", "consent": True, "language": "nb"}


async def make_form(rig, **changes):
    async with rig.client() as client:
        answer = await client.post("/v1/forms", json={**FORM, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def permissions_of(rig, person_id):
    async with rig.client() as client:
        now = (await client.get(f"/v1/contacts/{person_id}/permissions")).json()
        proof = (await client.get(f"/v1/contacts/{person_id}/permissions/proof")).json()
    return {(one["channel"], one["purpose"]): one["state"] for one in now}, proof


async def test_a_lead_becomes_a_person_whose_yes_counts_when_they_confirm_it(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        posted = await visitor.post("/f/autumn", json=LEAD, headers={"User-Agent": "Browser/1"})
        await rig.drain()
        (asked,) = rig.items(ConfirmationRequestedV1)
        looked = await visitor.get(asked.confirm_path)
        await rig.drain()
        before, _ = await permissions_of(rig, asked.person_id)
        pressed = await visitor.post(asked.confirm_path)
        again = await visitor.post(asked.confirm_path)
    await rig.drain()

    assert 202 == posted.status_code, posted.text
    assert {"pending"} == set(before.values())
    assert "Ja, send meg nyhetsbrev" in looked.text
    assert "<button" in looked.text
    assert (200, 200) == (pressed.status_code, again.status_code)
    after, proof = await permissions_of(rig, asked.person_id)
    assert {("email", "newsletter"): "granted", ("email", "offers"): "granted"} == after
    assert ["pending", "pending", "granted", "granted"] == [one["state"] for one in proof]
    granted = proof[-1]
    assert FORM["consent"]["nb"]["text"] == granted["text_shown"]
    assert "1" == granted["text_version"]
    assert "Browser/1" == granted["evidence"]["posted"]["user_agent"]
    (lead,) = rig.items(LeadReceivedV1)
    assert "autumn" == lead.form_key
    (card,) = rig.items(PersonChangedV1)
    assert ("Åse Bjørk", "") == (card.full_name, card.preferred_name)
    entries = [one for one in rig.items(PermissionChangedV1) if one.purpose == "offers"]
    assert [(1, PermissionState.PENDING), (2, PermissionState.GRANTED)] == sorted(
        (one.version, one.state) for one in entries
    )


async def test_the_same_lead_again_is_the_same_person_and_asks_nobody_twice(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        answers = [await visitor.post("/f/autumn", json=LEAD) for _ in range(3)]
        shouted = await visitor.post("/f/autumn", json={**LEAD, "email": "ASE+Club@Example.com"})
    await rig.drain()

    assert 1 == len({answer.text for answer in [*answers, shouted]})
    assert 1 == len(rig.items(ConfirmationRequestedV1))
    assert 2 == len(rig.items(LeadReceivedV1))
    assert 2 == len(rig.items(PersonChangedV1))


async def test_an_unticked_box_is_a_lead_without_permission(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        answer = await visitor.post("/f/autumn", json={**LEAD, "consent": False})
    await rig.drain()

    assert 202 == answer.status_code
    (lead,) = rig.items(LeadReceivedV1)
    assert [] == rig.items(ConfirmationRequestedV1)
    assert ({}, []) == await permissions_of(rig, lead.person_id)


async def test_the_page_takes_what_a_person_fills_in_and_doubts_what_comes_too_fast(rig_for):
    rig = await rig_for(SPEC)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        shown = await visitor.get("/f/autumn?lang=en&next=https://shop.example/thanks")
        started = re.search(r'name="started" value="([^"]+)"', shown.text)[1]
        body = {
            "full_name": "Åse Bjørk",
            "email": "ase@example.com",
            "consent": "yes",
            "started": started,
            "consent_version": "1",
            "language": "en",
            "website": "",
            "next": "https://shop.example/thanks",
        }
        fast = await visitor.post("/f/autumn?lang=en", data=body)
        rig.clock.advance(timedelta(seconds=5))
        taken = await visitor.post("/f/autumn?lang=en", data=body)
        forged = await visitor.post("/f/autumn", data={**body, "started": "AAAA"})
        away = await visitor.post("/f/autumn", data={**body, "next": "https://evil.example/"})
    await rig.drain()

    assert "Autumn news" in shown.text
    assert '<html lang="en">' in shown.text
    assert "checked" not in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert 422 == fast.status_code
    assert (303, "https://shop.example/thanks") == (taken.status_code, taken.headers["location"])
    assert 422 == forged.status_code
    assert 200 == away.status_code
    assert 1 == len(rig.items(LeadReceivedV1))


async def test_a_lead_that_the_gateway_kept_for_two_days_counts_from_when_it_was_posted(rig_for):
    trusting = {"contacts": {"trust_forwarded_for": True}}
    rig = await rig_for(SPEC, settings=trusting)
    await make_form(rig)

    async with rig.anonymous() as visitor:
        shown = await visitor.get("/f/autumn?lang=en")
        started = re.search(r'name="started" value="([^"]+)"', shown.text)[1]
        body = {
            "full_name": "Åse Bjørk",
            "email": "ase@example.com",
            "consent": "yes",
            "started": started,
        }
        posted = rig.clock.now() + timedelta(seconds=20)
        rig.clock.advance(timedelta(days=2))
        untold = await visitor.post("/f/autumn", data=body)
        told = await visitor.post(
            "/f/autumn", data=body, headers={"X-Kantis-Received-At": posted.isoformat()}
        )
    await rig.drain()

    assert 422 == untold.status_code
    assert 200 == told.status_code
    assert 1 == len(rig.items(LeadReceivedV1))
