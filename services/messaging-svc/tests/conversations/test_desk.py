"""People of ours at the inbox: who has what, by when, notes, merging, closing, drafts; and no two answer at once."""

import asyncio
from datetime import datetime, timedelta

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_kit.ids import new_id

OLA = "Ola <ola@x.example>"


async def test_the_clock_warns_after_a_working_day_and_counts_what_comes_too_late(
    inbox, write_mail
):
    await inbox.post(write_mail(OLA))
    (new,) = await inbox.found()
    inbox.rig.clock.advance(timedelta(days=30))
    await inbox.post(write_mail())
    (_, young) = await inbox.found()
    overdue = await inbox.found(clock="overdue")
    figures = await inbox.get("/figures")
    late = await inbox.answer(new["id"])
    inbox.rig.clock.advance(
        timedelta(seconds=1) + _moment(young["warn_at"]) - inbox.rig.clock.now()
    )
    warned = await inbox.found(clock="warning")
    after = await inbox.get("/figures")

    assert _moment(new["warn_at"]) < _moment(new["due_at"])
    assert [new["id"]] == [one["id"] for one in overdue]
    assert (2, 2, 1, 1, {"email": 2}) == (
        figures["open"], figures["unassigned"], figures["overdue"], figures["breaches"], figures["by_channel"],
    )  # fmt: skip
    assert ("answered", "stopped", 1) == tuple(
        late.json()[k] for k in ("state", "clock", "breaches")
    )
    assert [young["id"]] == [one["id"] for one in warned]
    assert (1, 0, 1, 1) == tuple(after[k] for k in ("open", "overdue", "warning", "breaches"))


def _moment(text):
    return datetime.fromisoformat(text)


async def test_no_two_people_answer_at_once(inbox, write_mail):
    await inbox.post(write_mail())
    (one,) = await inbox.found()
    read = one["version"]

    async def say(text):
        body = {"text": text, "agent": text}
        return (await inbox.do(one["id"], "/answers", body, version=read)).status_code

    codes = await asyncio.gather(*(say(f"agent{n}") for n in range(4)))
    async with inbox.rig.client() as client:
        blind = await client.post(f"/v1/conversations/{one['id']}/answers", json={"text": "x"})

    assert [201, 412, 412, 412] == sorted(codes)
    assert 422 == blind.status_code
    assert 1 == len(await inbox.run("SELECT 1 FROM dispatch WHERE origin = 'reply'"))


async def test_whoever_takes_a_conversation_has_it_until_they_let_go_or_do_nothing(
    inbox, write_mail
):
    await inbox.post(write_mail())
    (one,) = await inbox.found()
    id_ = one["id"]

    taken = await asyncio.gather(
        *(inbox.do(id_, "/take", {"agent": name}) for name in ("ingrid", "per"))
    )
    (winner,) = [answer.json()["assignee"] for answer in taken if answer.status_code == 200]
    loser = {"ingrid": "per", "per": "ingrid"}[winner]
    refused = await inbox.answer(id_, agent=loser)
    mine = await inbox.found(assignee=winner)
    free = await inbox.found(is_assigned=False)
    inbox.rig.clock.advance(timedelta(hours=2))
    left = await inbox.found(is_assigned=False)
    later = await inbox.do(id_, "/take", {"agent": loser})
    given = await inbox.do(id_, "/assign", {"assignee": winner})
    released = await inbox.do(id_, "/release")

    assert [200, 409] == sorted(answer.status_code for answer in taken)
    assert (409, "urn:kantis:problem:conversation-held", winner) == (
        refused.status_code, refused.json()["type"], refused.json()["assignee"],
    )  # fmt: skip
    assert [1, 0, 1] == [len(mine), len(free), len(left)]
    assert [loser, winner, ""] == [one.json()["assignee"] for one in (later, given, released)]


async def test_two_conversations_of_one_writer_become_one_and_go_on_there(inbox, write_mail):
    first = await inbox.post(write_mail(OLA, "Først", subject="Lampe"))
    second = await inbox.post(write_mail(OLA, "Så", subject="Faktura", message_id="<f@x.example>"))
    a, b = first["conversation_id"], second["conversation_id"]
    await inbox.do(a, "/notes", {"text": "Ring ham", "agent": "ingrid"})

    merged = await inbox.do(a, "/merge", {"other_id": b})
    again = await inbox.do(a, "/merge", {"other_id": b})
    itself = await inbox.do(a, "/merge", {"other_id": a})
    more = await inbox.post(
        write_mail(OLA, "Og?", subject="SV: Faktura", References="<f@x.example>")
    )
    blue = await inbox.do(b, "/answers", {"text": "Ja"})

    assert (200, 3) == (merged.status_code, merged.json()["messages"])
    assert a == more["conversation_id"]
    assert ["Først", "Ring ham", "Så", "Og?"] == [
        one["body"].strip() for one in await inbox.messages(a)
    ]
    assert [409, 409, 409] == [again.status_code, itself.status_code, blue.status_code]
    assert [] == await inbox.messages(b)


async def test_a_conversation_is_closed_with_a_reason_and_a_new_message_opens_it(inbox, write_mail):
    taken = await inbox.post(write_mail(OLA, message_id="<c@x.example>"))
    id_ = taken["conversation_id"]

    closed = (await inbox.do(id_, "/close", {"reason": "reklame"})).json()
    await inbox.post(write_mail(OLA, "Jeg mente det!", References="<c@x.example>"))
    opened = await inbox.get(f"/{id_}")
    missing = await inbox.do(id_, "/close", {})

    assert ("closed", "reklame", "test-key") == tuple(
        closed[k] for k in ("state", "close_reason", "closed_by")
    )
    assert ("open", "", None) == tuple(opened[k] for k in ("state", "close_reason", "closed_at"))
    assert 422 == missing.status_code


async def test_a_writer_is_recognised_by_hand_and_two_persons_are_not_merged(inbox, write_mail):
    kari = await inbox.person(0)
    per = await inbox.person(2)
    unknown = await inbox.post(write_mail(OLA))
    hers = await inbox.post(write_mail())
    id_ = unknown["conversation_id"]

    nobody = await inbox.change(id_, person_id=str(new_id()))
    known = await inbox.change(id_, person_id=str(per), topic="levering", language="sv")
    two = await inbox.do(id_, "/merge", {"other_id": hers["conversation_id"]})

    assert (404, 409) == (nobody.status_code, two.status_code)
    assert (str(per), "levering", "sv") == tuple(
        known.json()[k] for k in ("person_id", "topic", "language")
    )
    assert [str(kari)] == [one["person_id"] for one in await inbox.found(person_id=str(kari))]
    assert [id_] == [one["id"] for one in await inbox.found(topic="levering")]


async def test_a_draft_greets_by_the_name_that_was_given_and_refuses_what_it_does_not_know(
    inbox, write_mail
):
    await inbox.person(0)
    hers = (await inbox.post(write_mail()))["conversation_id"]
    unknown = (await inbox.post(write_mail('"Ola N." <ola@x.example>')))["conversation_id"]
    texts = {"nb": "{{ greeting }},\n\nHilsen {{ agent }}, {{ company }}", "en": "{{ greeting }}!"}
    async with inbox.rig.client() as client:
        path = "/v1/conversations/templates"
        saved = (await client.post(path, json={"name": "hei", "languages": texts})).json()
        same = await client.post(path, json={"name": "hei", "languages": texts})
        flawed = await client.post(
            path, json={"name": "x", "languages": {"sv": "{{ secret }}", "nb": "ok"}}
        )
        loop = await client.post(
            path, json={"name": "x", "languages": {"nb": "{% for x in y %}{% endfor %}"}}
        )
        changed = await client.put(
            f"{path}/{saved['id']}", json={"name": "hallo", "languages": texts}
        )
        listed = (await client.get(path)).json()
    drafts = [
        (await inbox.do(id_, "/draft", {"template_id": saved["id"], **more})).json()["text"]
        for id_, more in ((hers, {}), (unknown, {}), (hers, {"language": "fi"}))
    ]
    async with inbox.rig.client() as client:
        gone = await client.delete(f"{path}/{saved['id']}")
    missing = await inbox.do(hers, "/draft", {"template_id": saved["id"]})

    assert [
        "Hei Kari0,\n\nHilsen test-key, Lys AS",
        "Hei,\n\nHilsen test-key, Lys AS",
        "Hello Kari0!",
    ] == drafts
    assert (409, 422, 422, 200, 204, 404) == tuple(
        one.status_code for one in (same, flawed, loop, changed, gone, missing)
    )
    assert "languages.sv" == flawed.json()["errors"][0]["field"]
    assert ["hallo"] == [one["name"] for one in listed]


@pytest.mark.parametrize("channel", ["email", "sms", "chat"])
async def test_whoever_cannot_be_reached_in_a_channel_is_not_answered_there(
    inbox, write_mail, channel
):
    taken = await inbox.post(write_mail(OLA))
    id_ = taken["conversation_id"]
    pool = await inbox.rig.service.database.pool()
    await pool.execute(
        "INSERT INTO suppression SELECT email_hash, $1, 'hard_bounce', '', 'test', now() FROM conversation",
        new_id(),
    )

    refused = await inbox.answer(id_, channel=channel)
    called = await inbox.do(id_, "/answers", {"text": "Ringte ham", "channel": "call"})

    assert (409, "urn:kantis:problem:cannot-answer") == (
        refused.status_code,
        refused.json()["type"],
    )
    assert 409 == called.status_code
    assert [] == await inbox.run("SELECT 1 FROM dispatch WHERE origin = 'reply'")


async def test_who_was_erased_is_not_answered_and_a_page_goes_on_where_it_ended(inbox, write_mail):
    card = inbox.house.person(0)
    await inbox.house.know(card)
    id_ = (await inbox.post(write_mail()))["conversation_id"]
    for n in range(3):
        inbox.rig.clock.advance(timedelta(minutes=1))
        await inbox.post(write_mail(f"n{n}@x.example"))
    await inbox.rig.publish(
        PersonChangedV1(
            items=(card.model_copy(update={"is_erased": True, "version": 2, "email": None}),)
        )
    )
    await inbox.rig.drain()

    refused = await inbox.answer(id_)
    seen, cursor = [], None
    while True:
        page = await inbox.get("", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break

    assert 409 == refused.status_code
    assert 4 == len(seen) == len(set(seen))
    assert [one["id"] for one in await inbox.found()] == seen
