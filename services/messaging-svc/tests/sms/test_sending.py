"""Text messages to a provider's HTTP server: what goes out, what its answers mean, what is never sent twice."""

import asyncio
import base64
from datetime import timedelta

import orjson
import pytest

from kantis_contracts.contacts import PermissionChangedV1, PermissionEntry
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_contracts.messaging import LinkClickedV1, MessageSettledV1, PermissionWithdrawnV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit import failpoints
from kantis_kit.ids import new_id
from kantis_kit.testing.http import Answer, json_answer
from kantis_kit.testing.waiting import eventually
from messaging_svc.dispatch import lines

PHONE = {"user-agent": "Mozilla/5.0 (iPhone)"}


async def test_a_launch_reaches_everybody_once_with_links_of_their_own(phones):
    await phones.save_template()
    people = await phones.know(20)

    await phones.launch(people)
    rows = await phones.until(20)
    await phones.rig.drain()

    sent = phones.sent()
    assert {f"+474123{n:04d}" for n in range(20)} == {one["to"] for one in sent}
    assert 20 == len(sent)
    assert {"Lys AS"} == {one["from"] for one in sent}
    first = next(one for one in sent if one["to"].endswith("0000"))
    assert first["message"].startswith("Hei Kari0! Lampe 499")
    tokens = {link for one in sent for link in phones.short_links(one["message"])}
    assert 60 == len(tokens)  # the shop, the answer, the no
    request = phones.sink.requests[0]
    assert ("POST", "/sms") == (request.method, request.target)
    assert f"Basic {base64.b64encode(b'u:p').decode()}" == request.headers["authorization"]
    assert {"accepted"} == {row["state"] for row in rows}
    assert {("sms", "accepted")} == {
        (one.channel, one.state) for one in phones.rig.items(MessageSettledV1)
    }


async def test_a_short_link_is_a_click_and_leads_where_the_message_says(phones):
    await phones.save_template(nb="Se https://lys.example/v?a=1&b=2 {{ response_url }}")
    people = await phones.know()
    await phones.launch(people)
    await phones.until()
    shop, answer, no = phones.short_links(phones.sent()[0]["message"])
    phones.rig.clock.advance(timedelta(minutes=10))

    async with phones.rig.anonymous() as visitor:
        ahead = [await visitor.get(one, headers=PHONE) for one in (shop, answer, no)]
        scanner = await visitor.head(shop, headers={"user-agent": "linkscanner bot"})
        nowhere = [await visitor.get(one) for one in ("/s/2222222222", "/s/x", f"{shop}x")]
        page = await visitor.get(ahead[2].headers["location"])
        before = list(phones.rig.items(PermissionWithdrawnV1))
        done = await visitor.post(ahead[2].headers["location"])
    await phones.rig.drain()

    targets = [one.headers["location"] for one in ahead]
    assert "https://lys.example/v?a=1&b=2" == targets[0]
    assert "http://kantis.test/r/C0DE0000" == targets[1]
    assert targets[2].startswith("http://kantis.test/u/")
    assert [200, 302, 200] == [page.status_code, scanner.status_code, done.status_code]
    assert {404} == {one.status_code for one in nowhere}
    assert [] == before  # a GET has changed nothing
    (withdrawn,) = phones.rig.items(PermissionWithdrawnV1)
    assert (people[0], Channel.SMS, Purpose.OFFERS) == (
        withdrawn.person_id, withdrawn.channel, withdrawn.purpose,
    )  # fmt: skip
    verdicts = [one.verdict for one in phones.rig.items(LinkClickedV1)]
    assert ["machine", "human"] == [verdicts[-1], verdicts[0]]


async def test_the_gate_asks_for_the_permission_of_the_channel_and_the_number(phones):
    await phones.save_template()
    people = await phones.know(3)
    no_number = await phones.know(1, phone=None, email="kari@example.com")
    by_mail = PermissionEntry(
        person_id=people[1], channel=Channel.SMS, purpose=Purpose.OFFERS, state="withdrawn", version=2,
        ledger_id=new_id(), occurred_at=phones.rig.clock.now(),
    )  # fmt: skip
    await phones.rig.publish(PermissionChangedV1(items=(by_mail,)))
    await phones.rig.drain()

    await phones.launch([*people, *no_number])
    rows = await phones.until(4, "accepted", "suppressed")

    found = {row["person_id"]: (row["state"], row["rule"]) for row in rows}
    assert ("suppressed", "no_address") == found.pop(no_number[0])
    assert ("suppressed", "permission_withdrawn") == found.pop(people[1])
    assert {("accepted", "allowed")} == set(found.values())
    assert 2 == len(phones.sent())


async def test_what_the_provider_refuses_has_failed_and_harms_nobody_else(phones):
    def answer(request):
        return Answer(400, b"Invalid to number") if b"0001" in request.body else json_answer({})

    phones.sink.answer = answer
    await phones.save_template(nb="Hei STOPP")
    people = await phones.know(5)
    await phones.launch(people)
    rows = await phones.until(5, "accepted", "failed")

    failed = {row["person_id"]: (row["rule"], row["reason"]) for row in rows if row["state"] == "failed"}  # fmt: skip
    assert {people[1]: ("refused", "400 Invalid to number")} == failed


@pytest.mark.parametrize("status", [429, 503])
async def test_what_the_provider_puts_off_is_sent_later(phones, status):
    phones.sink.answer = lambda _: Answer(status, b"slow down")
    await phones.save_template()
    await phones.launch(await phones.know())
    await phones.told("put off", "put_off")
    phones.sink.answer = lambda _: json_answer({"id": "s1"})
    phones.rig.clock.advance(timedelta(minutes=5))

    (row,) = await phones.until()

    assert ("s1", 2) == (row["reason"], row["attempts"])


@pytest.mark.parametrize(
    "answer", [Answer(is_hung_up=True), Answer(500, b"oops"), Answer(504, b"too late")]
)
async def test_marketing_of_which_nobody_knows_whether_it_was_taken_is_in_doubt_and_never_repeated(
    phones, answer
):
    phones.sink.answer = lambda _: answer
    await phones.save_template()
    await phones.launch(await phones.know())

    (row,) = await phones.until(1, "in_doubt")
    phones.sink.answer = lambda _: json_answer({})
    phones.rig.clock.advance(timedelta(days=2))
    await phones.rig.drain()

    assert "no_answer" == row["rule"]
    assert 1 == len(phones.sink.requests)


async def test_a_provider_that_does_not_answer_in_time_may_have_taken_the_message(open_phones):
    phones = await open_phones(sms_timeout_seconds=0.2)
    never = asyncio.Event()
    phones.sink.answer = lambda _: Answer(waits_for=never)
    await phones.save_template()
    await phones.launch(await phones.know())

    (row,) = await phones.until(1, "in_doubt")
    never.set()

    assert "no_answer" == row["rule"]
    assert 1 == len(phones.sink.requests)


async def test_a_provider_that_is_away_gets_the_message_when_it_is_back(phones):
    await phones.save_template()
    people = await phones.know()
    await phones.sink.__aexit__()
    await phones.launch(people)
    await phones.told("away", "put_off")
    await phones.sink.__aenter__()

    phones.rig.clock.advance(timedelta(minutes=5))
    (row,) = await phones.until()

    assert 2 == row["attempts"]
    assert 1 == len(phones.sink.requests)


@pytest.mark.parametrize(
    ("point", "state", "asked"),
    [
        # The hand-over was committed before; the journal knows that nothing had begun.
        ("dispatch.before_data", "accepted", 1),
        # The provider has it, which the dead sender did not live to note.
        ("dispatch.after_answer", "in_doubt", 1),
    ],
)
async def test_a_sender_that_dies_sends_what_had_not_begun_and_repeats_nothing(
    phones, point, state, asked
):
    await phones.save_template()
    people = await phones.know()
    failpoints.arm(point, "raise", nth=1)
    crashed = asyncio.Event()
    failpoints.on(point, crashed.set)

    await phones.launch(people)
    await crashed.wait()
    phones.rig.clock.advance(timedelta(seconds=61))
    (row,) = await phones.until(1, state)

    assert (state, asked) == (row["state"], len(phones.sink.requests))


async def test_what_is_handed_over_and_gets_no_line_in_time_is_taken_back_unless_it_has_begun(
    open_phones, monkeypatch
):
    monkeypatch.setattr(lines, "STALE_SECONDS", 0.3)
    phones = await open_phones(sms_concurrency=1)
    never = asyncio.Event()
    phones.sink.answer = lambda _: Answer(waits_for=never)
    await phones.save_template()
    await phones.launch(await phones.know(30))

    async def handed_over() -> bool:
        return 1 < sum(row["state"] == "handed_over" for row in await phones.rows())

    async def claimed_anew() -> bool:
        return any(row["fence"] > 1 for row in await phones.rows())

    await eventually(handed_over, message="nothing is handed over ahead")
    await eventually(claimed_anew, message="nothing was taken back")
    asked = len(phones.sink.requests)
    never.set()
    rows = await phones.until(30)

    assert 1 == asked
    assert ({1}, 30) == ({row["attempts"] for row in rows}, len(phones.sent()))


async def test_without_a_provider_it_is_said_that_we_cannot_send(open_house):
    house = await open_house()
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)

    await house.rig.publish(house.launch([kari.person_id], channel=Channel.SMS))
    (row,) = await house.until_ended()

    assert ("failed", "channel_not_available") == (row["state"], row["rule"])


async def test_with_a_mail_server_and_a_provider_each_sends_its_own(sink, open_phones):
    phones = await open_phones(smtp_host="127.0.0.1", smtp_port=sink.port)
    await phones.save_template()
    await phones.launch(await phones.know(3, email="kari@example.com"))

    await phones.until(3)

    assert 3 == len(phones.sent())
    assert [] == sink.messages


async def test_a_message_in_too_many_parts_is_not_sent(phones):
    await phones.save_template(nb="{{ preferred_name }} STOPP")
    await phones.launch(await phones.know(1, preferred_name="😀" * 700))

    (row,) = await phones.until(1, "failed")

    assert ("cannot_be_written", []) == (row["rule"], phones.sink.requests)
    assert "parts" in row["reason"]


SINCH = {"sms_provider": "sinch", "sms_user": "plan", "sms_password": "token"}
LINK = {"sms_provider": "link", "sms_platform_id": "PID", "sms_partner_id": "77", "sms_gate_id": "G"}  # fmt: skip
HTTP = {
    "sms_provider": "http", "sms_password": "tok", "sms_http_method": "PUT",
    "sms_http_body": '{"message": {"number": "{to}", "words": "{text}"}, "ref": "{reference}", "n": 1}',
    "sms_http_id_field": "ticket", "sms_http_idempotency_header": "Idempotency-Key",
}  # fmt: skip


async def test_sinch_gets_a_batch_of_one(open_phones):
    phones = await open_phones(**SINCH)
    phones.sink.answer = lambda _: json_answer({"id": "01FC"}, 201)
    await phones.save_template(nb="Hei STOPP")
    await phones.launch(await phones.know())
    (row,) = await phones.until()

    (request,) = phones.sink.requests
    body = orjson.loads(request.body)
    assert ("/plan/batches", "Bearer token") == (request.target, request.headers["authorization"])
    assert (["+4741230000"], "Lys AS", str(row["id"])) == (
        body["to"], body["from"], body["client_reference"],
    )  # fmt: skip
    assert body["callback_url"].endswith("/reports")
    assert "01FC" == row["reason"]


async def test_link_gets_our_reference_and_the_gate(open_phones):
    phones = await open_phones(**LINK)
    phones.sink.answer = lambda _: json_answer({"messageId": "Dcs", "resultCode": 1005})
    await phones.save_template(nb="Hei STOPP")
    await phones.launch(await phones.know())
    (row,) = await phones.until()

    (request,) = phones.sink.requests
    body = orjson.loads(request.body)
    assert "/sms/send" == request.target
    assert {"refId": str(row["id"]), "platformId": "PID", "platformPartnerId": "77"}.items() <= body.items()  # fmt: skip
    assert (["G"], "ALPHANUMERIC", "+4741230000") == (
        body["deliveryReportGates"], body["sourceTON"], body["destination"],
    )  # fmt: skip
    assert "Dcs" == row["reason"]


async def test_any_other_provider_gets_the_json_of_the_settings_and_words_never_become_structure(
    open_phones,
):
    phones = await open_phones(**HTTP)
    phones.sink.answer = lambda _: json_answer({"ticket": 7})
    await phones.save_template(nb='"{{ preferred_name }}", "to": "+1" STOPP')
    await phones.launch(await phones.know(1, preferred_name='x", "n": 9, "{to}'))
    (row,) = await phones.until()

    (request,) = phones.sink.requests
    body = orjson.loads(request.body)
    assert ("PUT", "Bearer tok") == (request.method, request.headers["authorization"])
    assert str(row["id"]) == request.headers["idempotency-key"]
    assert 1 == body["n"]
    assert '"x", "n": 9, "{to}", "to": "+1" STOPP' == body["message"]["words"]
    assert "7" == row["reason"]


async def test_an_answer_that_no_one_can_read_is_a_yes_all_the_same(phones):
    phones.sink.answer = lambda _: Answer(200, b"<html>")
    await phones.save_template()
    await phones.launch(await phones.know())

    (row,) = await phones.until()

    assert "" == row["reason"]


async def test_erased_persons_leave_no_number(phones):
    people = await phones.know()
    await phones.rig.publish(
        ErasureRequestedV1(
            items=(
                ErasureRequest(
                    erasure_id=new_id(),
                    person_ids=(people[0],),
                    requested_at=phones.rig.clock.now(),
                ),
            )
        )
    )
    await phones.rig.drain()
    pool = await phones.rig.service.database.pool()
    (card,) = await pool.fetch("SELECT phone, phone_hash, is_erased FROM person_card")

    assert (None, None, True) == tuple(card)
