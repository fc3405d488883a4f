"""The boxes of the preference page say what the table of rules decides, and a box that was ticked for somebody is no yes."""

import re
from datetime import timedelta
from itertools import product

import pytest

from contacts_svc.main import SPEC
from contacts_svc.permissions.boxes import list_allowed
from contacts_svc.permissions.decide import decide
from contacts_svc.permissions.gather import gather
from kantis_contracts.values import Channel, MessageClass, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.tx import read

HOME = {"street": "Gata 1", "postal_code": "0155", "city": "Oslo"}
BOX = re.compile(r'name="shown\.([a-z]+\.[a-z]+)" value="(yes|no)"')


@pytest.fixture
async def desk(rig_for):
    return Desk(await rig_for(SPEC, settings={"contacts": {"suppression_key": "a secret"}}))


class Desk:
    """People, their pages, and what they said."""

    def __init__(self, rig):
        self.rig = rig

    async def call(self, method, path, body=None):
        async with self.rig.client() as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def person(self, **changes):
        body = {"full_name": "Kari Nes", "email": "kari@example.com", "phone": "+4541234567"}
        return (await self.call("POST", "/v1/contacts", {**body, **changes}))["id"]

    async def become(self, person, **changes):
        async with self.rig.client() as client:
            tag = (await client.get(f"/v1/contacts/{person}")).headers["etag"]
            answer = await client.patch(
                f"/v1/contacts/{person}", json=changes, headers={"If-Match": tag}
            )
        assert answer.is_success, answer.text

    async def say(self, person, channel, state):
        said = {"channel": channel, "purpose": "offers", "state": state, "source": "fair"}
        await self.call("POST", f"/v1/contacts/{person}/permissions", {**said, "text_shown": "Yes"})
        self.rig.clock.advance(timedelta(minutes=1))

    async def boxes(self, person):
        """Return the boxes of the page, each with whether it is ticked."""
        path = (await self.call("GET", f"/v1/contacts/{person}/pages"))["preferences"]
        async with self.rig.anonymous() as visitor:
            text = (await visitor.get(path)).text
        ticked = set(re.findall(r'name="([a-z]+\.[a-z]+)"[^>]* checked', text))
        shown = {name: value == "yes" for name, value in BOX.findall(text)}
        assert ticked == {name for name, yes in shown.items() if yes}
        return shown

    async def send(self, person, shown, **changes):
        """Send the page as it was shown, with some boxes changed."""
        path = (await self.call("GET", f"/v1/contacts/{person}/pages"))["preferences"]
        stamp = self.rig.service.scope.extras[LinkSigner].make(
            "held", bytes.fromhex(person.replace("-", ""))
        )
        fields = {f"shown.{name}": "yes" if yes else "no" for name, yes in shown.items()}
        wanted = {**shown, **{name.replace("_", "."): yes for name, yes in changes.items()}}
        fields |= {name: "yes" for name, yes in wanted.items() if yes}
        async with self.rig.anonymous() as visitor:
            answer = await visitor.post(f"{path}?held={stamp}", data=fields)
        assert 303 == answer.status_code, answer.text
        self.rig.clock.advance(timedelta(minutes=1))
        found = await self.call("GET", f"/v1/contacts/{person}/permissions")
        return {f"{one['channel']}.{one['purpose']}": one["state"] for one in found}


async def test_a_call_in_denmark_is_shown_as_asked_for_and_is_a_yes_only_when_it_is_ticked(desk):
    kari = await desk.person(country="DK")
    before = await desk.boxes(kari)

    untouched = await desk.send(kari, before)
    ticked = await desk.send(kari, before, phone_offers=True)

    assert not any(before.values())
    assert {} == untouched
    assert {"phone.offers": "granted"} == ticked
    assert {"phone.offers"} == {name for name, yes in (await desk.boxes(kari)).items() if yes}
    assert {"phone.offers": "withdrawn"} == await desk.send(
        kari, await desk.boxes(kari), phone_offers=False
    )


async def test_a_box_that_was_ticked_for_somebody_and_left_so_is_no_yes(desk):
    # An entrepreneur in Norway may be called until they refuse.
    kari = await desk.person(
        country="NO", phone="+4741234567", address=HOME, recipient_kind="sole_trader"
    )
    before = await desk.boxes(kari)
    assert (True, True, False) == tuple(
        before[f"{one}.offers"] for one in ("phone", "letter", "email")
    )
    await desk.become(kari, recipient_kind="person")

    # What holds has changed since the page was shown: nobody was asked, and no register has been washed.
    assert {} == await desk.send(kari, before)
    assert not any((await desk.boxes(kari)).values())
    assert {"letter.offers": "withdrawn"} == await desk.send(kari, before, letter_offers=False)


async def test_the_page_says_what_the_decision_says(desk):
    people = [
        await desk.person(email=f"k{n}@example.com", phone=f"+47412345{n:02}", **of)
        for n, of in enumerate(
            [
                {"country": "NO"},
                {"country": "SE"},
                {"country": "DK"},
                {"country": "NO", "recipient_kind": "sole_trader"},
                {"country": "DK", "recipient_kind": "sole_trader"},
                {"country": "NO", "do_not_contact": True},
                {"country": "DE"},
            ]
        )
    ]
    await desk.say(people[0], "email", "granted")
    await desk.say(people[3], "phone", "withdrawn")
    await desk.say(people[2], "phone", "granted")
    boxes = list(product((Channel.EMAIL, Channel.SMS, Channel.PHONE, Channel.LETTER), Purpose))
    for person in people:
        async with read(desk.rig.service.scope) as tx:
            shown = await list_allowed(tx, person, boxes)
            decided = {}
            for channel, purpose in boxes:
                kind = (
                    MessageClass.NEWSLETTER if purpose == "newsletter" else MessageClass.MARKETING
                )
                facts = await gather(tx, person, channel, kind, at=tx.clock.now(), purpose=purpose)
                decided[channel, purpose] = decide(facts).is_allowed

        assert decided == shown


async def test_a_pause_is_shown_as_a_pause_and_unticks_nothing(desk):
    kari = await desk.person(country="NO")
    await desk.say(kari, "email", "granted")
    until = (desk.rig.clock.now() + timedelta(days=30)).isoformat()
    await desk.call(
        "PUT", f"/v1/contacts/{kari}/preferences", {"paused_until": until, "topics": {}}
    )

    assert (await desk.boxes(kari))["email.offers"]
