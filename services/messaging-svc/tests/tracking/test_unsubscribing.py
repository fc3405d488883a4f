"""A no is in force where the sending happens before it is answered, and nobody says it by accident."""

import re
import sys
from collections import Counter
from datetime import timedelta

import pytest

from kantis_contracts.messaging import PermissionWithdrawnV1
from kantis_contracts.values import Language, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.ids import new_id
from kantis_kit.testing.rig import LINK_KEYS
from messaging_svc.links import Unsubscribe, pack_unsubscribe

ENCODINGS = {
    "urlencoded": ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
    "multipart": (
        "multipart/form-data; boundary=xyz",
        b'--xyz\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--xyz--\r\n',
    ),
}


async def _mailed(house, **changes):
    await house.save_template()
    kari = house.person(0, **changes)
    await house.know(kari, purposes=(Purpose.OFFERS, Purpose.NEWSLETTER))
    await house.rig.publish(house.launch([kari.person_id]))
    await house.until_ended()
    (mail,) = house.mails()
    return kari, mail["List-Unsubscribe"].strip("<>").removeprefix("http://kantis.test")


async def _send_again(house, person_id, **changes):
    # Counted before it is published: the row of a launch may be there before the publisher goes on.
    before = len(await house.rows())
    await house.rig.publish(house.launch([person_id], **changes))
    rows = await house.until_ended(before + 1)
    return (rows[-1]["state"], rows[-1]["rule"])


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_one_click_works_without_a_cookie_in_both_encodings_and_twice(house, encoding):
    kari, path = await _mailed(house)
    kind, body = ENCODINGS[encoding]

    async with house.rig.anonymous() as mail_program:
        first = await mail_program.post(path, content=body, headers={"content-type": kind})
        again = await mail_program.post(path, content=body, headers={"content-type": kind})
    await house.rig.drain()

    assert [200, 200] == [first.status_code, again.status_code]
    assert ("suppressed", "withdrawn") == await _send_again(house, kari.person_id)
    (said,) = house.rig.items(PermissionWithdrawnV1)
    assert (kari.person_id, Purpose.OFFERS, "one_click") == (
        said.person_id,
        said.purpose,
        said.source,
    )
    assert said.campaign_id is not None


async def test_a_no_to_offers_is_no_no_to_the_newsletter_but_a_no_to_everything_is(house):
    kari, path = await _mailed(house)

    async with house.rig.anonymous() as browser:
        await browser.post(path, data={"choice": "this"})
        assert ("suppressed", "withdrawn") == await _send_again(house, kari.person_id)
        assert ("accepted", "allowed") == await _send_again(
            house, kari.person_id, purpose=Purpose.NEWSLETTER
        )
        await browser.post(path, data={"choice": "all"})
    await house.rig.drain()

    assert ("suppressed", "withdrawn") == await _send_again(
        house, kari.person_id, purpose=Purpose.NEWSLETTER
    )
    assert [Purpose.OFFERS, None] == [
        item.purpose for item in house.rig.items(PermissionWithdrawnV1)
    ]


@pytest.mark.parametrize("language", list(Language))
async def test_opening_the_page_changes_nothing_and_asks_in_the_persons_language(house, language):
    kari, path = await _mailed(house, language=language)

    async with house.rig.anonymous() as browser:
        page = await browser.get(path)
        head = await browser.head(path)
    await house.rig.drain()

    assert 200 == page.status_code
    assert f'<a href="/chat?lang={language.value}">' in page.text
    assert language.value == page.headers["content-language"]
    assert f'<html lang="{language.value}">' in page.text
    assert '<form method="post">' in page.text
    assert "Lys AS" in page.text
    assert "script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert head.status_code in (200, 405)
    assert [] == house.rig.items(PermissionWithdrawnV1)
    assert ("accepted", "allowed") == await _send_again(house, kari.person_id)


async def test_a_later_yes_lifts_the_no_and_an_older_one_does_not(house):
    kari, path = await _mailed(house)
    async with house.rig.anonymous() as browser:
        await browser.post(path)

    await house.permit([kari.person_id], version=2, at=house.rig.clock.now() - timedelta(hours=1))
    await house.rig.drain()
    assert ("suppressed", "withdrawn") == await _send_again(house, kari.person_id)

    house.rig.clock.advance(timedelta(hours=1))
    await house.permit([kari.person_id], version=3, at=house.rig.clock.now())
    await house.rig.drain()
    assert ("accepted", "allowed") == await _send_again(house, kari.person_id)

    async with house.rig.anonymous() as browser:
        await browser.post(path)
    await house.rig.drain()
    assert ("suppressed", "withdrawn") == await _send_again(house, kari.person_id)
    assert 2 == len(house.rig.items(PermissionWithdrawnV1))


async def test_forged_foreign_and_broken_tokens_are_all_the_same_404(house):
    kari, path = await _mailed(house)
    token = path.rsplit("/", 1)[1]
    signer = LinkSigner.from_text(LINK_KEYS)
    foreign = LinkSigner.from_text("1:" + "00" * 32)
    payload = pack_unsubscribe(Unsubscribe(kari.person_id, new_id(), Purpose.OFFERS))
    flipped = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    tokens = [
        flipped, token[:-1], "x", "%C3%A5", foreign.make("unsubscribe", payload), signer.make("preferences", payload),
        signer.make("unsubscribe", b"short"),
    ]  # fmt: skip

    async with house.rig.anonymous() as stranger:
        answers = [await stranger.post(f"/u/{one}") for one in tokens]
        answers += [await stranger.get(f"/u/{one}") for one in tokens]

    assert {404} == {answer.status_code for answer in answers}
    assert 1 == len({re.sub(r"[0-9a-f-]{36}|/u/[^\"]*", "", answer.text) for answer in answers})
    assert ("accepted", "allowed") == await _send_again(house, kari.person_id)


async def test_after_a_change_of_keys_the_old_links_hold_and_those_of_unknown_keys_do_not(
    open_house,
):
    house = await open_house(link_keys=f"2:{'22' * 32},{LINK_KEYS}")
    kari, path = await _mailed(house)
    link = pack_unsubscribe(Unsubscribe(kari.person_id, new_id(), Purpose.OFFERS))
    old = LinkSigner.from_text(LINK_KEYS).make("unsubscribe", link)
    unknown = LinkSigner.from_text("3:" + "33" * 32).make("unsubscribe", link)
    # A page elsewhere may post here: what a mail program does on somebody's behalf comes from anywhere.
    foreign = {"origin": "https://webmail.example", "sec-fetch-site": "cross-site"}
    house.rig.clock.advance(timedelta(days=400))

    async with house.rig.anonymous() as mail_program:
        told = [
            await mail_program.post(one, data={"List-Unsubscribe": "One-Click"}, headers=foreign)
            for one in (f"/u/{unknown}", f"/u/{old}", f"/u/{old}", path)
        ]

    assert [404, 200, 200, 200] == [answer.status_code for answer in told]
    assert not [answer for answer in told if answer.has_redirect_location or answer.cookies]
    assert ("suppressed", "withdrawn") == await _send_again(house, kari.person_id)


async def test_the_link_of_a_test_message_withdraws_nobody(house):
    signer = LinkSigner.from_text(LINK_KEYS)
    token = signer.make(
        "unsubscribe", pack_unsubscribe(Unsubscribe(None, new_id(), Purpose.OFFERS))
    )

    async with house.rig.anonymous() as browser:
        answer = await browser.post(f"/u/{token}")
    await house.rig.drain()

    assert 200 == answer.status_code
    assert [] == house.rig.items(PermissionWithdrawnV1)


async def test_a_no_works_when_its_message_is_long_gone(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    signer = LinkSigner.from_text(LINK_KEYS)
    token = signer.make(
        "unsubscribe", pack_unsubscribe(Unsubscribe(kari.person_id, new_id(), Purpose.OFFERS))
    )

    async with house.rig.anonymous() as browser:
        assert 200 == (await browser.post(f"/u/{token}")).status_code
    await house.rig.drain()

    assert ("suppressed", "withdrawn") == await _send_again(house, kari.person_id)


async def test_no_message_begins_after_the_answer_to_its_persons_no(house):
    await house.save_template()
    people = [house.person(n) for n in range(300)]
    await house.know(*people)
    leaving = people[100:160]
    signer = LinkSigner.from_text(LINK_KEYS)
    answered = {}

    await house.rig.publish(house.launch([one.person_id for one in people]))
    async with house.rig.anonymous() as browser:
        for one in leaving:
            link = Unsubscribe(one.person_id, new_id(), Purpose.OFFERS)
            answer = await browser.post(f"/u/{signer.make('unsubscribe', pack_unsubscribe(link))}")
            assert 200 == answer.status_code
            answered[one.email] = len(house.sink.attempts)
    await house.until_ended(300)

    late = [
        record["rcpt"]
        for number, record in enumerate(house.sink.attempts)
        if number >= answered.get(record["rcpt"], len(house.sink.attempts) + 1)
    ]
    assert [] == late


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_three_hundred_leave_by_one_click_in_both_encodings_twice_and_forgers_are_told_nothing(
    open_house,
):
    house = await open_house(link_keys=f"2:{'22' * 32},{LINK_KEYS}")
    await house.save_template()
    people = [house.person(n) for n in range(400)]
    await house.know(*people)
    await house.rig.publish(house.launch([one.person_id for one in people]))
    await house.until_ended(400)
    told = {
        mail["To"]: mail["List-Unsubscribe"].strip("<>").rpartition("/")[2]
        for mail in house.mails()
    }
    old = LinkSigner.from_text(LINK_KEYS)
    unknown = LinkSigner.from_text("3:" + "33" * 32)
    foreign = {"origin": "https://webmail.example", "sec-fetch-site": "cross-site"}
    answers = Counter()

    async def post(kind, token, encoding="urlencoded"):
        media, body = ENCODINGS[encoding]
        headers = {"content-type": media, **foreign}
        answer = await mail_program.post(f"/u/{token}", content=body, headers=headers)
        assert not answer.has_redirect_location
        assert not answer.cookies
        answers[kind, answer.status_code] += 1

    async with house.rig.anonymous() as mail_program:
        for n, one in enumerate(people):
            link = pack_unsubscribe(Unsubscribe(one.person_id, new_id(), Purpose.OFFERS))
            token = told[one.email] if n % 2 else old.make("unsubscribe", link)
            for forged in (
                token[:-3] + "AAA", unknown.make("unsubscribe", link), old.make("preferences", link),
                old.make("open", link), token[: len(token) // 2],
            ):  # fmt: skip
                await post("forged", forged)
            if n < 300:
                if n % 3 == 0:
                    house.rig.clock.advance(timedelta(days=1))
                for encoding in (*ENCODINGS, *ENCODINGS):
                    await post("good", token, encoding)
    await house.rig.drain()

    assert {("good", 200): 1_200, ("forged", 404): 2_000} == answers
    assert {one.person_id for one in people[:300]} == {
        one.person_id for one in house.rig.items(PermissionWithdrawnV1)
    }
    pool = await house.rig.service.database.pool()
    assert 300 == await pool.fetchval("SELECT count(DISTINCT person_id) FROM withdrawal")
    sys.stdout.write(
        "one click: 300 people in both encodings twice within 100 days and under an older key: 1,200 answered 200 "
        "without redirect or cookie, 300 noes; forged 2,000, all 404, noes of them 0\n"
    )
