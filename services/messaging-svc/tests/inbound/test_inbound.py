"""What people write: a STOP that holds before it is answered, keywords, votes once, and the rest for a person."""

import base64
import hashlib
import hmac
from datetime import timedelta

import orjson
import pytest

from kantis_contracts.messaging import PermissionWithdrawnV1, ReplyReceivedV1
from kantis_contracts.values import Channel, Language
from kantis_kit.ids import new_id
from kantis_kit.testing.http import Answer
from kantis_kit.testing.waiting import eventually

KARI, OLA = "+4741230000", "+4741230001"
SECRET = "a-long-secret-of-the-address"


async def test_a_stop_is_in_force_before_the_provider_is_answered_and_travels(desk):
    kari = await desk.know(KARI)

    assert 200 == await desk.write(KARI, "Hei, kan dere STOPPE dette takk")
    offered = await desk.offer(kari)
    await desk.rig.drain()

    assert [("suppressed", "withdrawn")] == offered
    (told,) = desk.rig.items(PermissionWithdrawnV1)
    assert (kari, Channel.SMS, None, "reply") == (
        told.person_id, told.channel, told.purpose, told.source,
    )  # fmt: skip
    (answer,) = await desk.sent(1)
    assert (KARI, "Lys AS: Du får ikke flere reklamemeldinger fra oss på dette nummeret.") == (
        answer["to"], answer["message"],
    )  # fmt: skip
    assert [("stop", False)] == [(one["kind"], one["is_open"]) for one in await desk.inbox()]
    assert [("stop", kari)] == [
        (one.kind, one.person_id) for one in desk.rig.items(ReplyReceivedV1)
    ]


async def test_a_stop_holds_for_everybody_who_has_the_number(desk):
    people = [await desk.know(KARI), await desk.know(KARI), await desk.know(OLA)]

    await desk.write("4741230000", "STOPP")
    offered = await desk.offer(*people)

    assert [("accepted", "allowed"), *[("suppressed", "withdrawn")] * 2] == sorted(offered)


async def test_a_stop_of_a_number_that_nobody_has_holds_when_somebody_gets_it(desk):
    await desk.write(KARI, "stop")
    kari = await desk.know(KARI)

    before = await desk.offer(kari)
    await desk.write(KARI, "start")
    after = await desk.offer(kari)

    assert [("suppressed", "address_suppressed")] == before
    assert [("accepted", "allowed")] == after


async def test_a_start_ends_no_withdrawal_but_brings_the_page_where_a_yes_is_given(desk):
    kari = await desk.know(KARI, language=Language.SV)
    await desk.write(KARI, "stopp")

    await desk.write(KARI, "start tack")
    offered = await desk.offer(kari)

    assert [("suppressed", "withdrawn")] == offered
    answers = await desk.sent(2)
    assert any("http://kantis.test/p/preferences/" in one["message"] for one in answers)


async def test_a_stop_can_be_left_without_an_answer_and_holds_all_the_same(open_desk):
    desk = await open_desk(sms_confirms_stop=False)
    kari = await desk.know(KARI)

    await desk.write(KARI, "stopp")
    offered = await desk.offer(kari)

    assert [("suppressed", "withdrawn")] == offered
    assert [] == desk.sink.requests


async def test_a_message_that_is_delivered_again_counts_once(desk):
    await desk.know(KARI)

    codes = [await desk.write(KARI, "STOPP", id_="same") for _ in range(5)]
    await desk.rig.drain()

    assert {200} == set(codes)
    assert 1 == len(await desk.inbox())
    assert 1 == len(desk.rig.items(PermissionWithdrawnV1))
    assert 1 == len(await desk.sent(1))


async def test_what_is_unclear_or_a_question_waits_for_a_person(desk):
    kari = await desk.know(KARI)

    await desk.write(KARI, "Ikke stopp! Når kommer lampen?")
    await desk.write(OLA, "Er dere åpne på søndag?")
    open_ = await desk.inbox(is_open=True)

    assert [("other", "may be a STOP: read it first"), ("other", "")] == [
        (one["kind"], one["note"]) for one in open_
    ]
    assert [str(kari), None] == [one["person_id"] for one in open_]
    assert [("accepted", "allowed")] == await desk.offer(kari)


async def test_a_person_answers_by_text_message_and_closes(desk):
    await desk.write(OLA, "Er dere åpne på søndag?")
    (open_,) = await desk.inbox(is_open=True)

    async with desk.rig.client() as client:
        path = f"/v1/conversations/{open_['conversation_id']}"
        latest = {"If-Match": "*"}
        done = await client.post(f"{path}/answers", json={"text": "Ja, 12–16."}, headers=latest)
        await desk.write("Telenor", "Din regning")
        (machine,) = await desk.inbox(is_open=True)
        path = f"/v1/conversations/{machine['conversation_id']}"
        cannot = await client.post(f"{path}/answers", json={"text": "Ja"}, headers=latest)
        closed = await client.post(f"{path}/close", json={"reason": "reklame"}, headers=latest)
        shown = await client.get(f"/v1/inbound/{open_['id']}")
        gone = await client.get(f"/v1/inbound/{new_id()}")

    (answer,) = await desk.sent(1)
    assert (OLA, "Ja, 12–16.") == (answer["to"], answer["message"])
    assert ("answered", False) == (done.json()["state"], shown.json()["is_open"])
    assert [409, 200, 404] == [cannot.status_code, closed.status_code, gone.status_code]
    assert [] == await desk.inbox(is_open=True)


async def test_what_a_number_writes_next_goes_on_in_its_conversation(desk):
    kari = await desk.know(KARI)
    await desk.write(KARI, "Er dere åpne på søndag?")
    await desk.write(KARI, "Og på mandag?")
    await desk.rig.drain()

    first, second = await desk.inbox(is_open=True)
    assert first["conversation_id"] == second["conversation_id"]
    assert [(kari, True), (kari, False)] == [
        (one.person_id, one.opens_conversation) for one in desk.rig.items(ReplyReceivedV1)
    ]


async def _keyword(client, **body):
    answer = await client.post("/v1/inbound/keywords", json=body)
    return answer.status_code, answer.json()


async def test_votes_are_counted_once_per_person_and_the_last_one_counts(desk):
    await desk.know(KARI)
    async with desk.rig.client() as client:
        for word, option in (("LAMPE A", "A"), ("lampe b", "B")):
            assert 201 == (await _keyword(client, word=word, action="vote", poll="lampe", option=option))[0]  # fmt: skip
        now = desk.rig.clock.now()
        await desk.write(KARI, "Lampe A takk", at=now - timedelta(minutes=3))
        await desk.write(KARI, "lampe b", at=now - timedelta(minutes=1))
        await desk.write(KARI, "LAMPE A!", at=now - timedelta(minutes=2))  # comes late
        for n in range(3):
            await desk.write(OLA, "Lampe A", id_=f"again{n % 2}")
        await desk.write(OLA, "Lampe A eller kanskje lampe B, hva tror dere?")
        poll = (await client.get("/v1/inbound/polls/lampe")).json()
        empty = (await client.get("/v1/inbound/polls/none")).json()

    assert {"poll": "lampe", "votes": 2, "options": {"A": 1, "B": 1}} == poll
    assert 0 == empty["votes"]
    assert 1 == len(await desk.inbox(is_open=True))
    assert "Lys AS: Takk, stemmen din er talt: A." in {one["message"] for one in await desk.sent(5)}


async def test_an_order_by_keyword_is_told_and_waits_for_its_clerk(desk):
    kari = await desk.know(KARI)
    async with desk.rig.client() as client:
        answer = {"nb": "Takk for bestillingen!", "en": "Thank you!"}
        await _keyword(client, word="LAMPE", action="order", answer=answer)
    await desk.write(KARI, "Lampe 2 stk til jobben")
    await desk.rig.drain()

    (told,) = desk.rig.items(ReplyReceivedV1)
    assert ("order", "lampe", kari) == (told.kind, told.keyword, told.person_id)
    (open_,) = await desk.inbox(is_open=True, kind="order")
    assert "Lampe 2 stk til jobben" == open_["body"]
    assert ["Takk for bestillingen!"] == [one["message"] for one in await desk.sent(1)]


async def test_a_stop_is_a_stop_whatever_keyword_begins_it(desk):
    kari = await desk.know(KARI)
    async with desk.rig.client() as client:
        await _keyword(client, word="send", action="order")
    await desk.write(KARI, "Send ikke flere sms, stopp")

    assert [("suppressed", "withdrawn")] == await desk.offer(kari)


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"word": "STOPP", "action": "order"}, 409, "keyword-taken"),
        ({"word": "meld meg av", "action": "help"}, 409, "keyword-taken"),
        ({"word": "start", "action": "order"}, 409, "keyword-taken"),
        ({"word": "!!", "action": "order"}, 422, "keyword-invalid"),
        ({"word": "en to tre fire", "action": "order"}, 422, "keyword-invalid"),
        ({"word": "ja", "action": "vote"}, 422, "keyword-invalid"),
        ({"word": "ja", "action": "order", "poll": "x"}, 422, "keyword-invalid"),
    ],
)
async def test_a_keyword_that_cannot_work_is_refused_with_its_reason(desk, body, status, slug):
    async with desk.rig.client() as client:
        told, problem = await _keyword(client, **body)

    assert (status, f"urn:kantis:problem:{slug}") == (told, problem["type"])


async def test_a_keyword_is_taken_once_and_can_be_given_back(desk):
    async with desk.rig.client() as client:
        _, first = await _keyword(client, word="Lampe", action="order")
        twice, _ = await _keyword(client, word="LAMPE!", action="inquiry")
        listed = (await client.get("/v1/inbound/keywords")).json()
        gone = await client.delete(f"/v1/inbound/keywords/{first['id']}")
        again = await client.delete(f"/v1/inbound/keywords/{first['id']}")

    assert (409, ["lampe"]) == (twice, [one["word"] for one in listed])
    assert [204, 404] == [gone.status_code, again.status_code]


async def test_machines_that_answer_each_other_come_to_rest(desk):
    for _ in range(14):
        await desk.write(KARI, "hjelp")
    await desk.sent(10)
    await desk.rig.drain()
    pool = await desk.rig.service.database.pool()

    assert 10 == await pool.fetchval("SELECT count(*) FROM dispatch WHERE origin = 'reply'")


async def test_help_is_answered_in_the_language_of_the_writer(desk):
    await desk.know(KARI, language=Language.DA)

    await desk.write(KARI, "Info")
    await desk.write(OLA, "apua")
    answers = await desk.sent(2)

    assert any("slippe for reklame" in one["message"] for one in answers)
    assert any("LOPETA" in one["message"] for one in answers)


async def test_an_answer_of_which_nobody_knows_whether_it_was_taken_is_in_doubt_and_not_paid_twice(
    desk,
):
    desk.sink.answer = lambda _: Answer(is_hung_up=True)
    await desk.write(KARI, "hjelp")
    pool = await desk.rig.service.database.pool()

    async def doubtful():
        return await pool.fetchval("SELECT count(*) FROM dispatch WHERE state = 'in_doubt'")

    await eventually(doubtful, message="the answer did not end")
    assert 1 == len(desk.sink.requests)


@pytest.mark.parametrize("secret", ["wrong", "%C3%A5", "x" * 500])
async def test_only_the_provider_delivers(desk, secret):
    await desk.know(KARI)
    async with desk.rig.anonymous() as client:
        answer = await client.post(
            f"/w/sms/46elks/{secret}/inbound", data={"id": "1", "from": KARI, "message": "STOPP"}
        )
    await desk.rig.drain()

    assert 404 == answer.status_code
    assert [] == desk.rig.items(PermissionWithdrawnV1)


async def test_what_sinch_link_and_others_deliver_is_read(open_desk):
    found = []
    for settings, path, body in (
        ({"sms_provider": "sinch"}, "sinch", {"type": "mo_text", "id": "1", "from": "4741230000", "to": "2440", "body": "Stopp", "received_at": "2026-01-01T10:00:00Z"}),
        ({"sms_provider": "link"}, "link", {"id": "1", "source": "+4741230000", "destination": "2440", "userData": "Stopp"}),
        ({"sms_provider": "http"}, "http", {"items": [{"id": "1", "from": "0047 41230000", "to": "2440", "text": "Stopp"}]}),
    ):  # fmt: skip
        desk = await open_desk(**settings)
        async with desk.rig.anonymous() as client:
            answer = await client.post(f"/w/sms/{path}/{SECRET}/inbound", json=body)
            bad = await client.post(f"/w/sms/{path}/{SECRET}/inbound", content=b"[")
        (one,) = await desk.inbox()
        found.append((answer.status_code, bad.status_code, one["from_phone"], one["kind"]))

    assert [(200, 422, KARI, "stop")] * 3 == found


async def test_a_forged_stop_of_sinch_stops_nobody(open_desk):
    desk = await open_desk(sms_provider="sinch", sms_signing_key="k", sms_password="t")
    kari = await desk.know(KARI)
    told = {"type": "mo_text", "id": "1", "from": KARI, "to": "2440", "body": "Stopp"}
    body, stamp = orjson.dumps(told), str(int(desk.rig.clock.now().timestamp()))
    signed = hmac.new(b"other", b".".join((body, b"n", stamp.encode())), hashlib.sha256).digest()
    headers = {
        "x-sinch-webhook-signature": base64.b64encode(signed).decode(),
        "x-sinch-webhook-signature-nonce": "n",
        "x-sinch-webhook-signature-timestamp": stamp,
    }

    async with desk.rig.anonymous() as client:
        answer = await client.post(f"/w/sms/sinch/{SECRET}/inbound", content=body, headers=headers)

    assert 403 == answer.status_code
    assert [("accepted", "allowed")] == await desk.offer(kari)
