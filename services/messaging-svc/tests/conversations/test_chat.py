"""Chats and calls: begun by anybody within bounds, carried by streams that lose nothing, answered by a person."""

import asyncio
import json
import re
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kantis_contracts.values import Language
from kantis_kit.web.contact import CONTACT, CONTACT_PURPOSE
from messaging_svc.conversations import queries
from messaging_svc.conversations.pages import catalogue
from messaging_svc.conversations.streams import Hub, follow
from messaging_svc.links import LinkMaker

NOON, NIGHT = datetime(2026, 11, 24, 11, tzinfo=UTC), datetime(2026, 11, 24, 22, tzinfo=UTC)


def _at(inbox, moment):
    inbox.rig.clock.advance(moment - inbox.rig.clock.now())


async def _begin(inbox, text="Hei, har dere lamper?", **more):
    async with inbox.rig.anonymous() as visitor:
        answer = await visitor.post("/chat", json={"text": text, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def _events(text):
    return [json.loads(one) for one in re.findall(r"^data: (.*)$", text, re.MULTILINE)]


async def test_a_visitor_and_a_person_of_ours_talk_in_a_stream(inbox):
    _at(inbox, NOON)
    chat = await _begin(inbox, name="Kari")
    (one,) = await inbox.found(channel="chat")
    path = f"/chat/{chat['token']}"
    async with inbox.rig.anonymous() as visitor:
        more = await visitor.post(f"{path}/lines", json={"text": "I blått?"})
        await inbox.do(one["id"], "/notes", {"text": "Sjekk lageret"})
        answered = await inbox.answer(one["id"], "Ja, i blått.")
        inbox.rig.service.settings.chat_stream_seconds = 0.01
        whole = await visitor.get(f"{path}/stream")
        rest = await visitor.get(f"{path}/stream", headers={"Last-Event-ID": "2"})
    async with inbox.rig.client() as agent:
        ours = await agent.get(f"/v1/conversations/{one['id']}/stream", params={"after": 1})
        anything = await agent.get("/v1/conversations/stream")

    assert (True, "chat", 201, 201) == (
        chat["is_staffed"], chat["channel"], more.status_code, answered.status_code,
    )  # fmt: skip
    assert whole.headers["content-type"].startswith("text/event-stream")
    assert [(1, False), (2, False), (4, True)] == [
        (line["number"], line["is_ours"]) for line in _events(whole.text)
    ]
    assert ["Ja, i blått."] == [line["text"] for line in _events(rest.text)]
    assert ["in", "note", "out"] == [line["direction"] for line in _events(ours.text)]
    assert {"is_new": True} in _events(anything.text)
    assert [] == await inbox.run("SELECT 1 FROM dispatch")


async def test_no_line_is_lost_or_doubled_when_streams_end_while_many_write(inbox):
    _at(inbox, NOON)
    chat = await _begin(inbox)
    (one,) = await inbox.found()
    scope, id_, wanted = inbox.rig.service.scope, UUID(one["id"]), 18

    async def listen(hub, ends_after):
        """Listen by streams that end early, as a process does that is one of several."""
        seen, last = [], 0

        async def tell(tx, number):
            return await queries.list_lines(tx, id_, after=number)

        while len(seen) <= wanted:
            got = 0
            stream = follow(scope, hub, id_, tell, after=last, seconds=30)
            async with aclosing(stream):
                async for part in stream:
                    for number in re.findall(rb"^id: (\d+)$", part, re.MULTILINE):
                        last = int(number)
                        seen.append(last)
                        got += 1
                    if got >= ends_after or len(seen) > wanted:
                        break
        return seen

    async def write(n):
        async with inbox.rig.anonymous() as visitor:
            answer = await visitor.post(f"/chat/{chat['token']}/lines", json={"text": f"linje {n}"})
        assert answer.status_code == 201, answer.text

    heard = await asyncio.gather(
        listen(Hub(), 1), listen(Hub(), 5), *(write(n) for n in range(wanted))
    )

    every = list(range(1, wanted + 2))
    assert [every, every] == [heard[0], heard[1]]


async def test_at_night_a_chat_becomes_a_mail_or_a_call_or_is_asked_how_to_answer(inbox):
    _at(inbox, NIGHT)
    async with inbox.rig.anonymous() as visitor:
        page = await visitor.get("/chat?lang=nb")
        nothing = await visitor.post("/chat", json={"text": "Hei"})
        form = await visitor.post("/chat", data={"text": "Hei", "language": "nb"})
        mailed = await visitor.post(
            "/chat", data={"text": "Hei", "email": "kari@x.example", "language": "nb"}
        )
    called = await _begin(inbox, phone="+4741234567")
    by_mail, by_call = sorted(await inbox.found(), key=lambda one: one["channel"], reverse=True)
    answered = await inbox.answer(by_mail["id"])
    await inbox.house.until_ended()

    words = catalogue()["nb"]
    assert words["closed"] in page.text
    assert (422, "urn:kantis:problem:no-way-back") == (nothing.status_code, nothing.json()["type"])
    assert (422, True) == (form.status_code, words["no_way_back"] in form.text)
    assert (200, True) == (mailed.status_code, words["thanks_email"] in mailed.text)
    assert (False, "call") == (called["is_staffed"], called["channel"])
    assert ("email", "call") == (by_mail["channel"], by_call["channel"])
    assert 201 == answered.status_code
    assert ["kari@x.example"] == [mail["To"] for mail in inbox.house.mails()]


async def test_a_signed_link_says_who_chats_and_from_which_message_they_come(inbox):
    _at(inbox, NOON)
    await inbox.house.save_template()
    kari = await inbox.person()
    await inbox.rig.publish(inbox.house.launch([kari]))
    (sent,) = await inbox.house.until_ended()
    links = inbox.rig.service.scope.extras[LinkMaker]
    from_mail = links.contact(sent["id"]).partition("who=")[2]
    from_page = links.signer.make(CONTACT_PURPOSE, kari.bytes)
    forged = from_page[:-2] + ("AA" if from_page[-2:] != "AA" else "BB")

    for who in (from_mail, from_page, forged, "x"):
        await _begin(inbox, who=who)

    found = sorted(await inbox.found(), key=lambda one: one["id"])
    assert [(str(kari), "Vår"), (str(kari), ""), (None, ""), (None, "")] == [
        (one["person_id"], one["campaign_name"]) for one in found
    ]


async def test_machines_and_floods_are_kept_out_and_others_are_not(inbox):
    _at(inbox, NOON)
    async with inbox.rig.anonymous() as visitor:
        trapped = await visitor.post("/chat", json={"text": "x", "website": "http://x"})
        begun = [
            (
                await visitor.post(
                    "/chat", json={"text": "x"}, headers={"X-Forwarded-For": "9.9.9.9"}
                )
            )
            for _ in range(7)
        ]
        other = await visitor.post(
            "/chat", json={"text": "x"}, headers={"X-Forwarded-For": "8.8.8.8"}
        )
        path = f"/chat/{other.json()['token']}"
        lines = [
            (await visitor.post(f"{path}/lines", json={"text": str(n)})).status_code
            for n in range(20)
        ]
        by_form = await visitor.post(path, data={"text": "x"})
        inbox.rig.clock.advance(timedelta(minutes=2))
        later = await visitor.post(path, data={"text": "x"})
        bad = [
            await visitor.post("/chat", json={"text": ""}),
            await visitor.post("/chat", content=b"{", headers={"Content-Type": "application/json"}),
            await visitor.post(f"{path}/lines", json={"text": "x" * 2_001}),
            await visitor.get("/chat/forged"),
            await visitor.get("/chat/forged/stream"),
            await visitor.post("/chat/forged/lines", json={"text": "x"}),
        ]

    assert 403 == trapped.status_code
    assert [201] * 6 + [429] == [one.status_code for one in begun]
    assert [201] * 19 + [429] == lines
    assert (429, 303) == (by_form.status_code, later.status_code)
    assert [422, 422, 422, 404, 404, 404] == [one.status_code for one in bad]


@pytest.mark.parametrize(
    ("sent", "due"),
    [
        ({"day": "2026-11-25", "time": "09:30", "zone": "Europe/Helsinki"}, "2026-11-25T07:30:00Z"),
        ({"day": "2026-11-25", "time": "09:30", "zone": "../etc/passwd"}, "2026-11-25T08:30:00Z"),
        ({}, "2026-11-26T23:00:00Z"),
    ],
    ids=["a zone", "none that there is", "soon"],
)
async def test_a_call_is_due_when_it_was_wished_on_the_visitors_own_clock(inbox, sent, due):
    _at(inbox, NOON)
    async with inbox.rig.anonymous() as visitor:
        done = await visitor.post(
            "/chat/call", data={"phone": "+47 412 34 567", **sent, "language": "nb"}
        )
        refused = [
            await visitor.post("/chat/call", data={"phone": "x"}),
            await visitor.post("/chat/call", json={"phone": "+4741234567", "day": "2020-01-01"}),
            await visitor.post("/chat/call", json={"phone": "+4741234567", "day": "2026-13-01"}),
        ]
    (one,) = await inbox.found(channel="call")
    spoken = await inbox.do(one["id"], "/answers", {"text": "Bestilte to lamper", "then": "closed"})

    assert (200, True) == (done.status_code, catalogue()["nb"]["thanks_call"] in done.text)
    assert ("+4741234567", due) == (one["phone"], one["due_at"])
    assert [422, 422, 422] == [answer.status_code for answer in refused]
    assert "closed" == spoken.json()["state"]


async def test_a_call_can_be_noted_by_our_own_people(inbox):
    kari = await inbox.person()
    async with inbox.rig.client() as client:
        path = "/v1/conversations/calls"
        noted = await client.post(path, json={"phone": "41234567", "person_id": str(kari)})
        good = await client.post(path, json={"phone": "+4741234567", "person_id": str(kari)})
        nobody = await client.post(
            path, json={"phone": "+4741234567", "person_id": "00000000-0000-7000-8000-000000000000"}
        )

    assert [404, 201] == [nobody.status_code, good.status_code]
    assert str(kari) == good.json()["person_id"]
    assert noted.status_code in (201, 422)


@pytest.mark.parametrize("language", ["nb", "sv", "da", "fi", "en"])
async def test_the_pages_are_in_every_language_and_let_nothing_else_in(inbox, language):
    _at(inbox, NOON)
    chat = await _begin(inbox, "<script>alert(1)</script>")
    words = catalogue()[language]
    async with inbox.rig.anonymous() as visitor:
        pages = [
            (await visitor.get(f"{path}?lang={language}&who=%22%3E%3Cb%3E"), title)
            for path, title in (
                ("/chat", "title"), ("/chat/call", "call_title"), (f"/chat/{chat['token']}", "talk_title"),
            )
        ]  # fmt: skip
        script = await visitor.get(f"/chat/script.js?lang={language}")

    for page, title in pages:
        assert (200, language) == (page.status_code, page.headers["content-language"])
        assert f"<h1>{words[title]}</h1>" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]
        assert "<script>alert" not in page.text
        assert '"><b>' not in page.text
    assert json.dumps(CONTACT[Language(language)]) in script.text


def test_the_words_of_the_pages_are_whole():
    languages = catalogue()
    assert {"nb", "sv", "da", "fi", "en"} == set(languages)
    assert 1 == len({tuple(sorted(words)) for words in languages.values()})
    assert all(text.strip() for words in languages.values() for text in words.values())
