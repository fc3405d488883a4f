"""What providers report: from whom, how often, in what order, how late; nothing goes backwards."""

import base64
import hashlib
import hmac
from datetime import timedelta

import orjson
import pytest

from kantis_contracts.messaging import AddressOutcome, AddressReportedV1
from kantis_kit.ids import new_id
from kantis_kit.testing.http import json_answer

SECRET = "a-long-secret-of-the-address"
KEY = "sinch-key"
STANDARD = "whsec_" + base64.b64encode(b"k" * 24).decode()


async def _sent(phones, count=1):
    phones.sink.answer = lambda _: json_answer({"id": "x"})
    await phones.save_template(nb="Hei STOPP")
    await phones.launch(await phones.know(count))
    rows = await phones.until(count)
    phones.rig.clock.advance(timedelta(seconds=10))
    return [str(row["id"]) for row in rows]


async def _reports(phones):
    pool = await phones.rig.service.database.pool()
    return [
        (str(row["message_id"]), row["state"])
        for row in await pool.fetch("SELECT * FROM sms_report")
    ]


def _form(key, status):
    return (
        f"/w/sms/46elks/{SECRET}/reports?key={key}",
        {"id": "s1", "status": status, "delivered": "2026-01-01T10:00:00"},
    )


async def _elks(phones, key, status):
    path, data = _form(key, status)
    return (await phones.post(path, data=data)).status_code


async def test_the_address_that_the_provider_got_takes_its_reports(phones):
    (key,) = await _sent(phones)
    given = phones.sent()[0]["whendelivered"]

    answer = await phones.post(
        given.removeprefix("http://kantis.test"), data={"id": "s1", "status": "delivered"}
    )
    await phones.rig.drain()

    assert (200, [(key, "delivered")]) == (answer.status_code, await _reports(phones))
    (told,) = phones.rig.items(AddressReportedV1)
    assert (AddressOutcome.DELIVERED, "sms", key) == (
        told.outcome, told.channel, str(told.message_id),
    )  # fmt: skip
    async with phones.rig.client() as client:
        shown = (await client.get(f"/v1/sms/reports/{key}")).json()
        none = await client.get(f"/v1/sms/reports/{new_id()}")
    assert "delivered" == shown["state"]
    assert 404 == none.status_code


async def test_doubled_late_and_mixed_up_reports_count_once_and_take_nothing_back(phones):
    (key,) = await _sent(phones)

    codes = [
        await _elks(phones, key, status)
        for status in ("delivered", "delivered", "sent", "failed", "sent", "delivered")
    ]
    await phones.rig.drain()

    assert {200} == set(codes)
    assert [(key, "delivered")] == await _reports(phones)
    assert [AddressOutcome.DELIVERED] == [
        one.outcome for one in phones.rig.items(AddressReportedV1)
    ]


async def test_what_failed_first_and_then_arrived_has_arrived(phones):
    (key,) = await _sent(phones)

    for status in ("sent", "failed", "failed", "delivered"):
        await _elks(phones, key, status)
    await phones.rig.drain()

    assert [(key, "delivered")] == await _reports(phones)
    assert [AddressOutcome.SOFT_BOUNCE, AddressOutcome.DELIVERED] == [
        one.outcome for one in phones.rig.items(AddressReportedV1)
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/w/sms/46elks/wrong/reports?key={key}",
        "/w/sms/46elks//reports?key={key}",
        "/w/sms/sinch/{secret}/reports?key={key}",
        "/w/sms/none/{secret}/reports?key={key}",
    ],
)
async def test_an_address_that_we_gave_to_nobody_takes_nothing(phones, path):
    (key,) = await _sent(phones)

    answer = await phones.post(path.format(key=key, secret=SECRET), data={"status": "delivered"})

    assert 404 == answer.status_code
    assert [] == await _reports(phones)


async def test_without_a_secret_nobody_can_report_and_nobody_is_told_where(open_phones):
    phones = await open_phones(sms_webhook_secret="")
    (key,) = await _sent(phones)

    answer = await phones.post(f"/w/sms/46elks//reports?key={key}", data={"status": "delivered"})

    assert 404 == answer.status_code
    assert "whendelivered" not in phones.sent()[0]


@pytest.mark.parametrize("key", ["", "x", "01a2073b-eba7-7517-81ec-7f56d9945bd1"])
async def test_reports_on_messages_that_are_not_ours_or_long_gone_are_taken_and_change_nothing(
    phones, key
):
    answer = await _elks(phones, key, "failed")

    assert (200, []) == (answer, await _reports(phones))


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=1&" * 500, b""])
async def test_a_body_that_is_no_form_is_refused_or_says_nothing(phones, body):
    answer = await phones.post(f"/w/sms/46elks/{SECRET}/reports", content=body)

    assert answer.status_code in (200, 422)


def _sinch(key, status="Delivered", *, at, secret=KEY, nonce="n1", **more):
    body = orjson.dumps(
        {
            "type": "recipient_delivery_report_sms", "batch_id": "b", "recipient": "4741230000",
            "client_reference": key, "status": status, "code": 0, **more,
        }
    )  # fmt: skip
    stamp = str(int(at.timestamp()))
    signed = hmac.new(secret.encode(), b".".join((body, nonce.encode(), stamp.encode())), hashlib.sha256)  # fmt: skip
    return {
        "content": body,
        "headers": {
            "x-sinch-webhook-signature": base64.b64encode(signed.digest()).decode(),
            "x-sinch-webhook-signature-nonce": nonce,
            "x-sinch-webhook-signature-timestamp": stamp,
            "x-sinch-webhook-signature-algorithm": "HmacSHA256",
        },
    }


async def test_sinch_is_believed_when_its_signature_holds_and_is_young(open_phones):
    phones = await open_phones(sms_provider="sinch", sms_signing_key=KEY)
    (key,) = await _sent(phones)
    path, now = f"/w/sms/sinch/{SECRET}/reports", phones.rig.clock.now()
    good = _sinch(key, at=now)
    other_body = {**good, "content": good["content"].replace(b"Delivered", b"Rejected!")}
    forged = [
        _sinch(key, at=now, secret="other"),
        _sinch(key, at=now - timedelta(minutes=6)),
        _sinch(key, at=now + timedelta(minutes=6)),
        other_body,
        {"content": good["content"]},
        {**good, "headers": good["headers"] | {"x-sinch-webhook-signature-nonce": "n2"}},
    ]

    refused = [(await phones.post(path, **one)).status_code for one in forged]
    before = await _reports(phones)
    taken = [(await phones.post(path, **good)).status_code for _ in range(5)]
    await phones.rig.drain()

    assert ({403}, []) == (set(refused), before)
    assert [200] * 5 == taken
    assert [(key, "delivered")] == await _reports(phones)
    assert 1 == len(phones.rig.items(AddressReportedV1))


async def test_a_report_of_five_minutes_ago_is_no_longer_believed(open_phones):
    phones = await open_phones(sms_provider="sinch", sms_signing_key=KEY)
    (key,) = await _sent(phones)
    good = _sinch(key, at=phones.rig.clock.now())
    phones.rig.clock.advance(timedelta(minutes=6))

    answer = await phones.post(f"/w/sms/sinch/{SECRET}/reports", **good)

    assert (403, []) == (answer.status_code, await _reports(phones))


def _standard(body, *, at, id_="m1", secret=STANDARD):
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, b".".join((id_.encode(), stamp.encode(), body)), hashlib.sha256)
    return {
        "content": body,
        "headers": {
            "webhook-id": id_,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,AAAA v1,{base64.b64encode(signed.digest()).decode()}",
        },
    }


async def test_any_other_provider_signs_as_standard_webhooks(open_phones, provider):
    phones = await open_phones(sms_provider="http", sms_signing_key=STANDARD)
    keys = await _sent(phones, 2)
    path, now = f"/w/sms/http/{SECRET}/reports", phones.rig.clock.now()
    body = orjson.dumps(
        {"items": [{"reference": keys[0], "state": "delivered"}, {"reference": keys[1], "state": "failed", "reason": "unknown user"}, 7, {"reference": keys[0], "state": "odd"}]}
    )  # fmt: skip
    other = "whsec_" + base64.b64encode(b"o" * 24).decode()
    forged = [
        _standard(body, at=now, secret=other),
        _standard(body, at=now - timedelta(minutes=6)),
        {"content": body},
        {**_standard(body, at=now), "content": body.replace(b"failed", b"foiled")},
    ]

    refused = [(await phones.post(path, **one)).status_code for one in forged]
    taken = [(await phones.post(path, **_standard(body, at=now))).status_code for _ in range(3)]
    await phones.rig.drain()

    assert {403} == set(refused)
    assert {200} == set(taken)
    assert sorted(zip(keys, ("delivered", "failed"), strict=True)) == sorted(await _reports(phones))
    assert {AddressOutcome.DELIVERED, AddressOutcome.HARD_BOUNCE} == {
        one.outcome for one in phones.rig.items(AddressReportedV1)
    }


@pytest.mark.parametrize(
    ("code", "state", "outcome"),
    [
        (1000, "sent", None),
        (1001, "delivered", AddressOutcome.DELIVERED),
        (2106, "failed", AddressOutcome.HARD_BOUNCE),
        (1002, "failed", AddressOutcome.SOFT_BOUNCE),
        (105, "failed", None),  # theirs or ours, never the recipient's
        (4001, "failed", None),
    ],
)
async def test_the_codes_of_link_mean_what_its_table_says(open_phones, code, state, outcome):
    phones = await open_phones(sms_provider="link", sms_gate_id="g")
    (key,) = await _sent(phones)
    report = {"refId": key, "id": "x", "resultCode": code, "timestamp": "2026-01-01T09:37:00Z"}

    answer = await phones.post(f"/w/sms/link/{SECRET}/reports", json=report)
    await phones.rig.drain()

    assert (200, [(key, state)]) == (answer.status_code, await _reports(phones))
    assert [outcome] * (outcome is not None) == [
        one.outcome for one in phones.rig.items(AddressReportedV1)
    ]


async def test_a_number_that_does_not_exist_gets_no_marketing_any_more(open_phones):
    phones = await open_phones(sms_provider="link", sms_gate_id="g")
    phones.sink.answer = lambda _: json_answer({})
    await phones.save_template(nb="Hei STOPP")
    people = await phones.know()
    await phones.launch(people)
    (row,) = await phones.until()
    await phones.post(
        f"/w/sms/link/{SECRET}/reports", json={"refId": str(row["id"]), "resultCode": 2104}
    )

    await phones.launch(people)
    rows = await phones.until(2, "accepted", "suppressed")

    assert ["allowed", "address_suppressed"] == [one["rule"] for one in rows]
