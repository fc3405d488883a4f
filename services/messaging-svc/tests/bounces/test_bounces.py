"""Mails that come back, and what follows: who is spared, who is told, what is taken back."""

import base64
import hashlib
import hmac
import random
import sys
from collections import Counter
from datetime import timedelta
from email import policy
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import orjson
import pytest

from kantis_contracts.messaging import AddressOutcome, AddressReportedV1, PermissionWithdrawnV1
from kantis_kit.ids import new_id
from kantis_kit.tx import write
from messaging_svc.bounces import usecases

KARI = "kari0@kunde.example"
SECRET = "bounce-secret"
KEY = "whsec_" + base64.b64encode(b"b" * 24).decode()


@pytest.fixture
async def house(open_house):
    return await open_house(
        bounce_address="bounces@lys.example", bounce_secret=SECRET, bounce_signing_key=KEY
    )


async def _sent(house, **changes):
    """Send Kari a mail; return it with its envelope sender."""
    await house.save_template()
    kari = house.person(0, **changes)
    await house.know(kari)
    await house.rig.publish(house.launch([kari.person_id]))
    (row,) = await house.until("accepted")
    house.rig.clock.advance(timedelta(minutes=5))
    return kari.person_id, str(row["id"]), house.sink.messages[0]["from"]


def dsn(
    to, status, text, *, name="<1@mx.example>", final=KARI, action="failed", returned="", crlf=True
):
    mail = (
        f"From: MAILER-DAEMON@mx.example\nTo: {to}\nSubject: Undelivered Mail\nMessage-ID: {name}\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nI could not deliver your mail.\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; {final}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {text}\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{returned}Subject: x\n\nhi\n--b--\n"
    )  # fmt: skip
    return mail.replace("\n", "\r\n" if crlf else "\n").encode()


async def _post(house, mail, kind="message/rfc822"):
    async with house.rig.client() as client:
        answer = await client.post("/v1/bounces/raw", content=mail, headers={"content-type": kind})
    assert answer.status_code == 200, answer.text
    await house.rig.drain()
    return answer.json()["categories"]


async def _again(house, person_id):
    """Send once more; return what the gate says."""
    before = {row["id"] for row in await house.rows()}
    await house.rig.publish(house.launch([person_id]))
    await house.until_ended(len(before) + 1)
    (row,) = [row for row in await house.rows() if row["id"] not in before]
    return row["rule"]


async def _list(house, **filters):
    async with house.rig.client() as client:
        return (await client.get("/v1/bounces", params=filters)).json()["items"]


def _told(house):
    return [(one.outcome, one.is_undone) for one in house.rig.items(AddressReportedV1)]


async def test_a_mail_to_an_address_that_is_gone_ends_mails_there_and_is_told_with_its_evidence(
    house,
):
    kari, message, path = await _sent(house)
    mail = dsn(path, "5.1.1", "550 5.1.1 user unknown")

    first, again = await _post(house, mail), await _post(house, mail)

    assert (["bad_address"], []) == (first, again)
    assert [(AddressOutcome.HARD_BOUNCE, False)] == _told(house)
    assert "address_suppressed" == await _again(house, kari)
    (kept,) = await _list(house, person_id=str(kari))
    assert (message, "5.1.1", "address_status") == (
        kept["message_id"], kept["status"], kept["rule"],
    )  # fmt: skip
    assert "Diagnostic-Code: smtp; 550 5.1.1 user unknown" in kept["evidence"]


async def test_our_blocked_network_punishes_nobody_and_is_shown_to_the_operator(house):
    kari, _, path = await _sent(house)

    for n in range(5):
        text = "554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org"
        assert ["policy"] == await _post(house, dsn(path, "5.7.1", text, name=f"<{n}@mx>"))
        house.rig.clock.advance(timedelta(days=1) if n < 3 else timedelta(minutes=1))

    assert [] == _told(house)
    assert "allowed" == await _again(house, kari)
    assert 5 == len(await _list(house, category="policy"))
    house.rig.service.figures.fresh_seconds = 0
    async with house.rig.anonymous() as client:
        figures = (await client.get("/metrics")).text
    assert 'kantis_reputation_bounces{service="messaging"} 2.0' in figures


async def test_passing_troubles_on_three_days_leave_the_address_alone_until_they_are_over(house):
    kari, message, path = await _sent(house)
    seen = []
    for n in range(3):
        await _post(house, dsn(path, "4.2.2", "452 mailbox full", name=f"<{n}@mx>"))
        seen.append(await _again(house, kari))
        house.rig.clock.advance(timedelta(days=1))

    code = await _report(house, {"id": "d1", "type": "delivered", "message_id": message})
    seen.append(await _again(house, kari))

    assert ["allowed", "allowed", "address_suppressed", "allowed"] == seen
    assert 200 == code
    assert {(AddressOutcome.SOFT_BOUNCE, False)} == set(_told(house))


async def test_an_address_that_is_left_alone_is_tried_again_after_ninety_days(house):
    kari, _, path = await _sent(house)
    for n in range(3):
        await _post(house, dsn(path, "4.4.7", "delivery time expired", name=f"<{n}@mx>"))
        house.rig.clock.advance(timedelta(days=1))
    before = await _again(house, kari)

    house.rig.clock.advance(timedelta(days=89))
    async with write(house.rig.service.scope) as tx:
        await usecases.decay(tx)

    assert ["address_suppressed", "allowed"] == [before, await _again(house, kari)]


async def test_one_call_takes_a_bounce_back_and_its_evidence_stays(house):
    kari, _, path = await _sent(house)
    await _post(house, dsn(path, "5.1.1", "550 5.1.1 user unknown"))
    (kept,) = await _list(house)
    before = await _again(house, kari)

    async with house.rig.client() as client:
        where = f"/v1/bounces/{kept['id']}/undo"
        codes = [
            (await client.post(where, json={"reason": "they rang"})).status_code,
            (await client.post(where, json={"reason": "again"})).status_code,
            (await client.post(f"/v1/bounces/{new_id()}/undo", json={"reason": "x"})).status_code,
        ]
    await house.rig.drain()

    assert [204, 409, 404] == codes
    assert ["address_suppressed", "allowed"] == [before, await _again(house, kari)]
    hard = AddressOutcome.HARD_BOUNCE
    assert [(hard, False), (hard, True)] == _told(house)
    (kept,) = await _list(house)
    assert ("they rang", True) == (kept["undone_why"], bool(kept["evidence"]))


async def test_a_complaint_is_a_no_and_a_suppression(house):
    kari, _, path = await _sent(house)
    report = (
        f"From: feedback@isp.example\nTo: abuse@lys.example\nSubject: complaint\nMessage-ID: <c@isp>\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nComplaint\n\n--b\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: abuse\nVersion: 1\nOriginal-Mail-From: <{path}>\nOriginal-Rcpt-To: <{KARI}>\n\n"
        "--b\nContent-Type: message/rfc822\n\nSubject: x\n\nhi\n--b--\n"
    ).encode()  # fmt: skip

    assert ["complaint"] == await _post(house, report)

    (no,) = house.rig.items(PermissionWithdrawnV1)
    assert (kari, None, "complaint") == (no.person_id, no.purpose, no.source)
    assert "address_suppressed" == await _again(house, kari)
    assert ["auto_reply"] == await _post(
        house, report.replace(b"type: abuse", b"Type: not-spam").replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam").replace(b"<c@isp>", b"<d@isp>")
    )  # fmt: skip


async def test_who_is_away_has_not_bounced_nor_said_no(house):
    kari, _, path = await _sent(house)
    told = []
    for n, lines in enumerate(
        ("Subject: Autosvar: ferie", "Subject: x\nAuto-Submitted: auto-replied", "Subject: Takk for mailen!")
    ):  # fmt: skip
        mail = f"From: {KARI}\nTo: {path}\nMessage-ID: <{n}@k>\n{lines}\n\nUser unknown 550 5.1.1 stopp\n"
        told += await _post(house, mail.encode())

    assert ["auto_reply"] * 3 == told
    assert [] == _told(house)
    assert "allowed" == await _again(house, kari)


async def test_a_bounce_that_names_none_of_our_messages_is_kept_and_changes_nothing(house):
    kari, _, path = await _sent(house)
    local, _, domain = path.partition("@")
    flipped = local[:-3] + ("a" if local[-3] != "a" else "b") + local[-2:] + "@" + domain

    for n, to in enumerate(("bounces@lys.example", flipped, "bounces+@lys.example")):
        await _post(house, dsn(to, "5.1.1", "550 5.1.1 user unknown", name=f"<f{n}@mx>"))

    assert ([], 3) == (_told(house), len(await _list(house)))
    assert "allowed" == await _again(house, kari)


async def test_the_id_in_the_returned_mail_names_the_message_where_the_address_does_not(house):
    _, message, _ = await _sent(house)

    await _post(
        house,
        dsn("post@lys.example", "5.1.1", "550 no", returned=f"X-Kantis-Dispatch: {message}\n"),
    )

    assert [(AddressOutcome.HARD_BOUNCE, False)] == _told(house)


async def test_a_bounce_of_an_address_that_the_person_has_left_harms_the_new_one_not(house):
    kari, _, path = await _sent(house)
    new = house.person(0, person_id=kari, version=2, email="ny@kunde.example")
    await house.know(new)

    await _post(house, dsn(path, "5.1.1", "550 5.1.1 user unknown"))

    assert [] == _told(house)
    assert "allowed" == await _again(house, kari)


@pytest.mark.parametrize("crlf", [True, False])
async def test_a_path_that_lost_its_case_still_names_the_message(house, crlf):
    _, message, path = await _sent(house)

    await _post(house, dsn(path.upper(), "5.1.1", "550 5.1.1 user unknown", crlf=crlf))

    assert [message] == [one["message_id"] for one in await _list(house)]


def _nested(path):
    inner = dsn(path, "5.1.1", "550 5.1.1 user unknown").decode()
    return f"From: a@b\nTo: c@d\nSubject: Fwd\nMessage-ID: <n@x>\nContent-Type: message/rfc822\n\n{inner}".encode()  # fmt: skip


def _deep(path):
    mail = MIMEText(f"to {path}")
    for _ in range(200):
        outer = MIMEMultipart()
        outer.attach(mail)
        mail = outer
    return mail.as_bytes(policy=policy.SMTP)


def _flat(path):
    return (
        f"From: Mail Delivery System <mailer-daemon@mx>\nTo: {path}\nSubject: failed\nMessage-ID: <flat@x>\n\n"
        f"This message was created automatically by mail delivery software.\n\nA message could not be delivered to\n"
        f"all of its recipients. The following address(es) failed:\n\n  {KARI}\n    550 5.1.1 user unknown\n\n"
    ).encode()  # fmt: skip


BROKEN = {
    "a report inside a forwarded mail": (_nested, ["bad_address"]),
    "two hundred layers": (_deep, ["auto_reply"]),
    "a server of its own style": (_flat, ["bad_address"]),
    "no end of a part": (lambda path: dsn(path, "5.1.1", "550 user unknown")[:-30], ["bad_address"]),
    "headers alone": (lambda path: b"From: mailer-daemon@x\r\nTo: " + path.encode(), ["unknown"]),
    "nothing but bytes": (lambda _: bytes(range(256)) * 40, ["auto_reply"]),
    "a charset that there is not": (
        lambda path: f"From: postmaster@x\nTo: {path}\nContent-Type: text/plain; charset=nonsense\n\n550 user unknown".encode(),
        ["bad_address"],
    ),
    "a date of the future and no id": (
        lambda path: b"Date: Fri, 31 Dec 9999 23:59:59 -2359\r\n" + dsn(path, "5.1.1", "x", name="<date@mx>"),
        ["bad_address"],
    ),
    "base64 that is none": (
        lambda path: f"From: postmaster@x\nTo: {path}\nContent-Transfer-Encoding: base64\n\n%%%%".encode(),
        ["unknown"],
    ),
}  # fmt: skip


async def test_nested_and_broken_mails_are_read_as_far_as_they_can_be(house):
    _, _, path = await _sent(house)

    found = {name: await _post(house, make(path)) for name, (make, _) in BROKEN.items()}

    assert {name: wanted for name, (_, wanted) in BROKEN.items()} == found


async def test_thirty_megabytes_are_read_and_the_report_is_found_behind_them(house):
    _, message, path = await _sent(house)
    head = f"From: MAILER-DAEMON@mx\nTo: {path}\nMessage-ID: <big@mx>\nContent-Type: multipart/report; boundary=b\n\n--b\n"
    filler = b"Content-Type: application/pdf\n\n" + b"x" * 72 + b"\n"
    tail = (
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
        f"Final-Recipient: rfc822; {KARI}\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
    ).encode()  # fmt: skip
    room = 30 * 2**20 - len(head) - len(tail) - 100
    mail = head.encode() + filler + (b"y" * 72 + b"\n") * (room // 73) + tail

    assert ["bad_address"] == await _post(house, mail)
    assert [message] == [one["message_id"] for one in await _list(house)]
    async with house.rig.client() as client:
        too_much = await client.post(
            "/v1/bounces/raw", content=mail + b"z" * 2**20, headers={"content-type": "message/rfc822"}
        )  # fmt: skip
        nothing = await client.post(
            "/v1/bounces/raw", content=b"", headers={"content-type": "message/rfc822"}
        )
        other = await client.post("/v1/bounces/raw", json={})
    assert [413, 422, 415] == [too_much.status_code, nothing.status_code, other.status_code]


async def _report(house, *items, key=KEY, at=None, secret=SECRET, **headers):
    body = orjson.dumps({"items": list(items)})
    stamp = str(int((at or house.rig.clock.now()).timestamp()))
    raw = base64.b64decode(key.removeprefix("whsec_"))
    signed = hmac.new(raw, b".".join((b"m", stamp.encode(), body)), hashlib.sha256).digest()
    given = {
        "webhook-id": "m", "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}", **headers,
    }  # fmt: skip
    async with house.rig.anonymous() as client:
        answer = await client.post(f"/w/bounces/{secret}", content=body, headers=given)
    await house.rig.drain()
    return answer.status_code


async def test_reports_of_a_mail_provider_count_once_in_any_order_and_only_when_they_are_its_own(
    house,
):
    kari, message, path = await _sent(house)
    hard = {"id": "b1", "type": "bounce", "return_path": path, "status": "5.1.1", "text": "user unknown"}  # fmt: skip
    blocked = {"id": "b2", "type": "bounce", "message_id": message, "status": "5.7.1", "text": "blocked"}  # fmt: skip
    other = "whsec_" + base64.b64encode(b"o" * 24).decode()
    now = house.rig.clock.now()

    forged = [
        await _report(house, hard, key=other),
        await _report(house, hard, at=now - timedelta(minutes=6)),
        await _report(house, hard, at=now + timedelta(minutes=6)),
        await _report(house, hard, secret="wrong"),
        await _report(house, hard, **{"webhook-signature": ""}),
    ]
    before = await _again(house, kari)
    taken = [await _report(house, blocked, hard) for _ in range(3)]
    bad = await _report(house, {"id": "b3", "type": "odd"})

    assert ([403, 403, 403, 404, 403], "allowed") == (forged, before)
    assert ([200] * 3, 422) == (taken, bad)
    assert [(AddressOutcome.HARD_BOUNCE, False)] == _told(house)
    assert {"bad_address", "policy"} == {one["category"] for one in await _list(house)}
    assert "address_suppressed" == await _again(house, kari)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_of_five_thousand_webhooks_no_forged_one_counts_and_each_of_the_others_once(house):
    count, chance = 500, random.Random(20_261_125)
    await house.save_template()
    people = [house.person(n) for n in range(count)]
    await house.know(*people)
    launch = house.launch([one.person_id for one in people])
    await house.rig.publish(launch)
    rows = await house.until("accepted", count)
    await house.rig.drain()
    other, now = "whsec_" + base64.b64encode(b"o" * 24).decode(), house.rig.clock.now()
    forgeries = (
        {"key": other}, {"at": now - timedelta(minutes=6)}, {"at": now + timedelta(minutes=6)},
        {"webhook-signature": ""}, {"webhook-id": "n"},
    )  # fmt: skip
    calls = []
    for n, row in enumerate(rows):
        kinds = ("bounce", "delivered")[:: chance.choice((1, -1))] if n % 2 else ("delivered",)
        good = [
            {"id": f"{kind}{n}", "type": kind, "message_id": str(row["id"]), "status": "5.1.1"}
            for kind in kinds
        ]
        bad = {**good[0], "id": f"forged{n}", "type": "bounce"}
        calls += [(bad, forged) for forged in forgeries]
        calls += [(one, {}) for one in good for _ in range(5 // len(good))]
    chance.shuffle(calls)

    told = Counter()
    for report, how in calls:
        told[await _report(house, report, **how), bool(how)] += 1
    await house.rig.drain()

    assert {(403, True), (200, False)} == set(told), told
    pool = await house.rig.service.database.pool()
    kept = await pool.fetch("SELECT external_id FROM bounce")
    assert not [row for row in kept if "forged" in row["external_id"]]
    assert count // 2 == await pool.fetchval(
        "SELECT count(*) FROM bounce WHERE category = 'bad_address'"
    )
    assert count // 2 == await pool.fetchval("SELECT count(*) FROM suppression")
    assert count // 2 == sum(outcome is AddressOutcome.HARD_BOUNCE for outcome, _ in _told(house))
    after = {row["id"]: row["state"] for row in await house.rows()}
    assert {row["id"]: row["state"] for row in rows} == after, "a state went back"
    sys.stdout.write(
        f"webhooks {len(calls)}: forged {told[403, True]}, of them taken 0; genuine {told[200, False]}, counted "
        f"{count // 2} bounces once each, states gone back 0\n"
    )


async def test_what_is_told_of_a_message_before_it_was_sent_moves_it_neither_on_nor_back(
    open_house,
):
    house = await open_house(
        smtp_host="", bounce_address="bounces@lys.example", bounce_secret=SECRET, bounce_signing_key=KEY
    )  # fmt: skip
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    await house.rig.publish(house.launch([kari.person_id]))
    (row,) = await house.until("planned")

    told = [
        await _report(house, {"id": "d1", "type": "delivered", "message_id": str(row["id"])})
        for _ in range(5)
    ]

    assert [200] * 5 == told
    (after,) = await house.rows()
    assert dict(row) == dict(after)


async def _storm(house, count, *, size):
    """Have so many messages reported three times each, in any order; a third because of our reputation."""
    await house.save_template()
    people = [house.person(n) for n in range(count)]
    for start in range(0, count, 500):
        part = people[start : start + 500]
        await house.know(*part)
        await house.rig.publish(house.launch([one.person_id for one in part]))
        await house.sink.wait_for(start + len(part))
    rows = await house.until("accepted", count)
    reports = [
        {"id": f"r{n}", "type": "bounce", "message_id": str(row["id"]), "status": "5.1.1" if n % 3 else "5.7.1"}
        for n, row in enumerate(rows)
    ] * 3  # fmt: skip
    random.Random(20_261_123).shuffle(reports)
    for start in range(0, len(reports), size):
        assert 200 == await _report(house, *reports[start : start + size])
    gone = sum(n % 3 != 0 for n in range(count))

    pool = await house.rig.service.database.pool()
    assert gone == await pool.fetchval("SELECT count(*) FROM suppression")
    told = _told(house)
    assert [(AddressOutcome.HARD_BOUNCE, False)] * gone == told
    rules = {"bad_address": gone, "policy": count - gone}
    kept = await pool.fetch("SELECT category, count(*) AS n FROM bounce GROUP BY category")
    assert rules == {row["category"]: row["n"] for row in kept}


async def test_a_storm_of_reports_suppresses_each_address_once(house):
    await _storm(house, 60, size=20)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_thirty_thousand_reports_of_ten_thousand_bounces_suppress_each_address_once(house):
    await _storm(house, 10_000, size=500)


async def test_without_an_address_of_their_own_bounces_go_where_they_always_went(open_house):
    house = await open_house()
    _, _, path = await _sent(house)

    assert "post@lys.example" == path
