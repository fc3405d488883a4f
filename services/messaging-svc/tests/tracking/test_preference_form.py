"""The noes of the preference page hold where the sending happens before the page is answered."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from kantis_contracts.contacts import (
    PageRequest,
    PageRequestedV1,
    PreferenceCard,
    PreferenceChangedV1,
)
from kantis_contracts.messaging import PermissionWithdrawnV1, WishStatedV1
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.ids import new_id
from kantis_kit.testing.rig import LINK_KEYS

SIGNER = LinkSigner.from_text(LINK_KEYS)
FORM = {"shown.email.offers": "yes", "shown.email.newsletter": "no", "wishes": "yes"}


def way(person_id):
    return f"/u/preferences/{SIGNER.make('preferences', person_id.bytes)}"


async def _known(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari, purposes=(Purpose.OFFERS, Purpose.NEWSLETTER))
    return kari


async def _post(house, person_id, query="", **fields):
    async with house.rig.anonymous() as browser:
        return await browser.post(way(person_id) + query, data=FORM | fields)


async def _send(house, person, **changes):
    before = len(await house.rows())
    await house.rig.publish(house.launch([person.person_id], **changes))
    row = (await house.until_ended(before + 1))[-1]
    return row["state"], row["rule"]


async def test_what_is_unticked_is_held_at_once_and_the_form_goes_on_as_it_is(house):
    kari = await _known(house)

    answer = await _post(
        house, kari.person_id, "?lang=da", **{"email.newsletter": "yes", "topic.garden": "no"}
    )

    assert 307 == answer.status_code
    target = urlsplit(answer.headers["location"])
    assert way(kari.person_id).replace("/u/", "/p/") == target.path
    query = parse_qs(target.query)
    assert ["da"] == query["lang"]
    now = house.rig.clock.now()
    assert kari.person_id.bytes == SIGNER.read("held", query["held"][0], now=now)
    assert SIGNER.read("held", query["held"][0], now=now + timedelta(hours=3)) is None
    # Nothing was drained: no event has gone anywhere yet.
    assert ("suppressed", "withdrawn") == await _send(house, kari)
    assert ("accepted", "allowed") == await _send(house, kari, purpose=Purpose.NEWSLETTER)
    assert ("suppressed", "topic_refused") == await _send(
        house, kari, purpose=Purpose.NEWSLETTER, topic="garden"
    )
    await house.rig.drain()
    (said,) = house.rig.items(PermissionWithdrawnV1)
    assert (kari.person_id, Channel.EMAIL, Purpose.OFFERS, "preference_page") == (
        said.person_id, said.channel, said.purpose, said.source,
    )  # fmt: skip
    (wish,) = house.rig.items(WishStatedV1)
    assert ("garden", None) == (wish.topic, wish.paused_until)


async def test_what_was_not_ticked_and_is_no_yes_of_ours_is_no_news(house):
    kari = await _known(house)

    await _post(
        house,
        kari.person_id,
        **{
            "email.offers": "yes",
            "email.newsletter": "yes",
            "shown.sms.offers": "no",
            "pause": "keep",
        },
    )
    await house.rig.drain()

    assert [] == house.rig.items(PermissionWithdrawnV1)
    assert [] == house.rig.items(WishStatedV1)
    assert ("accepted", "allowed") == await _send(house, kari)


async def test_a_pause_holds_until_the_person_says_otherwise_on_their_page(house):
    kari = await _known(house)
    ticked = {"email.offers": "yes", "email.newsletter": "yes"}
    await _post(house, kari.person_id, pause="30", **ticked)

    assert ("suppressed", "paused") == await _send(house, kari)
    # What contacts-svc knew before does not end it, what it hears after does.
    begun = house.rig.clock.now()
    older = PreferenceCard(
        person_id=kari.person_id, version=1, changed_at=begun - timedelta(days=1)
    )
    await house.rig.publish(PreferenceChangedV1(items=(older,)))
    await house.rig.drain()
    assert ("suppressed", "paused") == await _send(house, kari)
    house.rig.clock.advance(timedelta(hours=1))
    newer = older.model_copy(update={"version": 2, "changed_at": house.rig.clock.now()})
    await house.rig.publish(PreferenceChangedV1(items=(newer,)))
    await house.rig.drain()
    assert ("accepted", "allowed") == await _send(house, kari)
    (wish,) = house.rig.items(WishStatedV1)
    assert ("", begun + timedelta(days=30)) == (wish.topic, wish.paused_until)


async def test_a_no_to_everything_is_one_in_every_channel(house):
    kari = await _known(house)

    for _ in range(2):
        answer = await _post(house, kari.person_id, everything="no", **{"email.offers": "yes"})
        assert 307 == answer.status_code
    await house.rig.drain()

    for purpose in Purpose:
        assert ("suppressed", "withdrawn") == await _send(house, kari, purpose=purpose)
    said = house.rig.items(PermissionWithdrawnV1)
    assert {(channel, None) for channel in Channel} == {(one.channel, one.purpose) for one in said}


async def test_a_no_that_is_earlier_than_its_person_waits_for_them(house):
    await house.save_template()
    kari = house.person(0)
    await _post(house, kari.person_id)

    await house.know(kari)

    assert ("suppressed", "withdrawn") == await _send(house, kari)


@pytest.mark.parametrize(
    "fields",
    [
        {"shown.pigeon.offers": "yes", "topic.": "no", "topic.A B": "no", "pause": "-1"},
        {"pause": "9999", "shown.email": "yes", "topic." + "x" * 61: "no"},
        {"pause": "٣", "topic.garden": "maybe"},
    ],
)
async def test_what_nobody_understands_says_nothing(house, fields):
    kari = await _known(house)
    async with house.rig.anonymous() as browser:
        answer = await browser.post(way(kari.person_id), data=fields)
    await house.rig.drain()

    assert 307 == answer.status_code
    assert [] == house.rig.items(PermissionWithdrawnV1) + house.rig.items(WishStatedV1)


async def test_forged_and_foreign_tokens_are_the_same_404_and_looking_is_not_offered(house):
    kari = await _known(house)
    good = way(kari.person_id)
    tokens = [
        good[:-1],
        good[:-4] + "AAAA",
        f"/u/preferences/{SIGNER.make('data', kari.person_id.bytes)}",
    ]
    tokens.append(f"/u/preferences/{SIGNER.make('preferences', b'short')}")

    async with house.rig.anonymous() as browser:
        answers = [await browser.post(one, data=FORM) for one in tokens]
        looked = await browser.get(good)
        nobody = await _post(house, kari.person_id.__class__(int=0))
    await house.rig.drain()

    assert {404} == {one.status_code for one in answers}
    assert 1 == len({re.sub(r"[0-9a-f-]{36}|/u/[^\"]*", "", one.text) for one in answers})
    assert 405 == looked.status_code
    assert 307 == nobody.status_code
    assert [] == house.rig.items(PermissionWithdrawnV1)


async def test_no_message_begins_after_the_answer_to_the_page(house):
    await house.save_template()
    people = [house.person(n) for n in range(120)]
    await house.know(*people)
    answered = {}

    await house.rig.publish(house.launch([one.person_id for one in people]))
    for one in people[40:70]:
        assert 307 == (await _post(house, one.person_id)).status_code
        answered[one.email] = len(house.sink.attempts)
    await house.until_ended(120)

    late = [
        record["rcpt"]
        for number, record in enumerate(house.sink.attempts)
        if number >= answered.get(record["rcpt"], len(house.sink.attempts) + 1)
    ]
    assert [] == late


async def test_the_number_of_fields_is_limited(house):
    async with house.rig.anonymous() as browser:
        answer = await browser.post(way(new_id()), data={f"x{n}": "y" for n in range(400)})

    assert 400 == answer.status_code


@pytest.mark.parametrize("language", list(Language))
async def test_a_link_to_an_own_page_is_mailed_once_whatever_the_person_said(house, language):
    kari = await _known(house)
    await _post(house, kari.person_id, everything="no")
    asked = [
        PageRequest(
            request_id=new_id(), person_id=kari.person_id, page=page, email="kari0@kunde.example",
            path=f"/p/{page}/abc", language=language, preferred_name="Kari",
        )
        for page in ("data", "erase", "something_new")
    ]  # fmt: skip

    for _ in range(2):
        await house.rig.publish(PageRequestedV1(items=tuple(asked)))
    await house.until_ended(2)
    await house.rig.drain()

    mails = house.mails()
    assert ["kari0@kunde.example"] * 2 == [one["To"] for one in mails]
    assert 2 == len({one["Subject"] for one in mails})
    bodies = [one.get_body(("html",)).get_content() for one in mails]
    for page in ("data", "erase"):
        assert 1 == sum(f"http://kantis.test/p/{page}/abc" in body for body in bodies)
    assert all(f'lang="{language.value}"' in body for body in bodies)
    assert not any(one["List-Unsubscribe"] for one in mails)
