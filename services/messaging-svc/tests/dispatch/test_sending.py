"""What the mail server says, and what becomes of each message of a batch."""

import base64
import re
import sys
from collections import Counter
from datetime import timedelta

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from kantis_contracts import campaign
from kantis_contracts.contacts import ConfirmationRequest, ConfirmationRequestedV1
from kantis_contracts.messaging import LinkClickedV1, MessageOpenedV1, MessageSettledV1
from kantis_contracts.orders import Notice, NoticeRequestedV1
from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from kantis_kit.testing.smtp import Fault
from kantis_kit.testing.waiting import eventually


async def _people(house, count):
    people = [house.person(n) for n in range(count)]
    await house.know(*people)
    return people


async def test_one_bad_address_and_one_bad_name_in_a_batch_harm_nobody_else(house):
    await house.save_template()
    people = [house.person(n) for n in range(40)]
    people[7] = people[7].model_copy(update={"preferred_name": "Kari\r\nBcc: alle@annet.example"})
    await house.know(*people)
    house.sink.faults.set("kari3@kunde.example", Fault(dot="554 5.7.1 not wanted"))

    await house.rig.publish(house.launch([one.person_id for one in people]))
    rows = await house.until_ended(40)

    states = {row["person_id"]: (row["state"], row["rule"]) for row in rows}
    assert ("failed", "refused") == states.pop(people[3].person_id)
    assert ("failed", "cannot_be_written") == states.pop(people[7].person_id)
    assert {("accepted", "allowed")} == set(states.values())
    assert 38 == len({record["rcpt"] for record in house.sink.messages}) == len(house.sink.messages)
    assert not [record for record in house.sink.attempts if "annet" in record["rcpt"]]


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_of_every_hundred_one_is_refused_and_one_cannot_be_written_and_98_are_sent(house):
    await house.save_template()
    people = [house.person(n) for n in range(1_000)]
    for hundred in range(0, 1_000, 100):
        bad = {"preferred_name": "Kari\r\nBcc: alle@annet.example"}
        people[hundred + 7] = people[hundred + 7].model_copy(update=bad)
        house.sink.faults.set(f"kari{hundred + 3}@kunde.example", Fault(dot="554 5.7.1 no"))
    for start in range(0, 1_000, 500):
        await house.know(*people[start : start + 500])

    for hundred in range(0, 1_000, 100):
        part = [one.person_id for one in people[hundred : hundred + 100]]
        await house.rig.publish(house.launch(part), copies=2)
    rows = await house.until_ended(1_000)
    await house.rig.drain()

    ends = Counter((row["state"], row["rule"]) for row in rows)
    assert {("accepted", "allowed"): 980, ("failed", "refused"): 10, ("failed", "cannot_be_written"): 10} == ends  # fmt: skip
    assert (
        980 == len({record["rcpt"] for record in house.sink.messages}) == len(house.sink.messages)
    )
    assert 990 == len(house.sink.attempts), "what was refused was tried again"
    assert {1, 0} == {row["attempts"] for row in rows}
    sys.stdout.write(
        "batches 10 of 100: sent once 980, refused 10, not writable 10, tried again 0, twice 0\n"
    )


async def test_of_addresses_with_quotes_and_of_other_alphabets_those_that_can_be_are_mailed(house):
    await house.save_template()
    given = ["kari@blåbær.example", '"kari nordmann"@kunde.example', "kåre@kunde.example", "ola@kunde.example"]  # fmt: skip
    people = [house.person(n, email=address) for n, address in enumerate(given)]
    await house.know(*people)

    await house.rig.publish(house.launch([one.person_id for one in people]))
    rows = {row["person_id"]: row for row in await house.until_ended(4)}

    ends = [(rows[one.person_id]["state"], rows[one.person_id]["rule"]) for one in people]
    assert [("accepted", "allowed"), ("failed", "cannot_be_written"), ("failed", "refused"), ("accepted", "allowed")] == ends  # fmt: skip
    assert {"kari@xn--blbr-roah.example", "ola@kunde.example"} == {
        record["rcpt"] for record in house.sink.attempts
    }


async def test_a_rejected_recipient_leaves_the_connection_usable(house):
    await house.save_template()
    people = await _people(house, 12)
    house.sink.faults.set("kari5@kunde.example", Fault(rcpt="550 5.1.1 no such user"))

    await house.rig.publish(house.launch([one.person_id for one in people]))
    rows = await house.until_ended(12)

    failed = [row for row in rows if row["state"] == "failed"]
    assert [("refused", "550 5.1.1 no such user")] == [
        (row["rule"], row["reason"]) for row in failed
    ]
    assert 11 == len(house.sink.messages)


async def test_what_is_put_off_is_tried_again_later_with_the_same_message_id(house):
    await house.save_template()
    (kari,) = await _people(house, 1)
    house.sink.faults.set("*", Fault(dot="451 4.3.0 later", times=1))

    await house.rig.publish(house.launch([kari.person_id]))
    await eventually(
        lambda: _with_rule(house, "put_off"), message="the server's word was not recorded"
    )
    assert [] == house.sink.messages
    house.rig.clock.advance(timedelta(minutes=5))
    (row,) = await house.until_ended()

    assert ("accepted", 2) == (row["state"], row["attempts"])
    assert 1 == len(house.sink.messages)
    assert 1 == len({record["message_id"] for record in house.sink.attempts})


async def _with_rule(house, rule):
    return [row for row in await house.rows() if row["rule"] == rule]


async def test_a_lost_answer_leaves_marketing_in_doubt_and_it_is_never_repeated(house):
    await house.save_template()
    (kari,) = await _people(house, 1)
    house.sink.faults.set("*", Fault(reset_at="dot", times=1))

    await house.rig.publish(house.launch([kari.person_id]))
    (row,) = await house.until("in_doubt")
    house.rig.clock.advance(timedelta(days=3))
    await eventually(lambda: _announced(house), message="nobody was told")
    await house.rig.drain()

    assert "no_answer" == row["rule"]
    assert 1 == len(house.sink.messages)
    assert ["in_doubt"] == [item.state for item in house.rig.items(MessageSettledV1)]
    house.rig.service.figures.fresh_seconds = 0
    async with house.rig.anonymous() as client:
        figures = (await client.get("/metrics")).text
    assert 'kantis_in_doubt_rows{service="messaging"} 1.0' in figures
    async with house.rig.client(scopes=["messaging:read"]) as client:
        listed = (await client.get("/v1/messages/in-doubt")).json()["items"]
    assert [str(row["id"])] == [one["id"] for one in listed]


async def _announced(house):
    return [row for row in await house.rows() if row["is_announced"]]


async def test_a_lost_answer_repeats_a_transactional_mail_with_the_same_message_id(house):
    house.sink.faults.set("*", Fault(reset_at="dot", times=1))

    await house.rig.publish(_confirmation())
    await eventually(lambda: _with_rule(house, "put_off"), message="the loss was not recorded")
    house.rig.clock.advance(timedelta(minutes=5))
    await house.until("accepted")

    assert 2 == len(house.sink.messages)
    assert 1 == len({record["message_id"] for record in house.sink.messages})


def _confirmation(**changes):
    values = {
        "request_id": new_id(),
        "person_id": new_id(),
        "email": "ny@kunde.example",
        "preferred_name": "Åse",
        "language": Language.NB,
        "form_key": "hage",
        "confirm_path": "/p/confirm/abc",
    }
    return ConfirmationRequestedV1(items=(ConfirmationRequest(**(values | changes)),))


async def test_a_confirmation_goes_out_though_nothing_is_known_of_the_person(house):
    await house.rig.publish(_confirmation())
    await house.until("accepted")

    (mail,) = house.mails()
    assert "Bekreft e-postadressen din" == mail["Subject"]
    text = mail.get_body(("plain",)).get_content()
    assert "Hei Åse" in text
    assert "http://kantis.test/p/confirm/abc" in text
    assert mail["List-Unsubscribe"] is None
    assert "auto-generated" == mail["Auto-Submitted"]


async def test_a_notice_is_sent_without_any_permission_in_the_language_of_its_reader(house):
    aino = house.person(0, language=Language.FI, preferred_name="")
    await house.rig.publish(
        NoticeRequestedV1(
            items=(
                Notice(
                    notice_id=new_id(),
                    person_id=aino.person_id,
                    kind="invoice_issued",
                    facts={
                        "reference": "1234567897",
                        "amount": "499,00 €",
                        "lines": "1 × Lamppu\n2 × Hylly",
                    },
                ),
            )
        )
    )
    await eventually(lambda: _with_rule(house, "waits_for_person"), message="it was not decided on")
    await house.know(aino, purposes=())

    await house.until("accepted")

    (mail,) = house.mails()
    assert "Lasku tilauksestasi" == mail["Subject"]
    text = mail.get_body(("plain",)).get_content()
    assert "1234567897" in text
    assert text.startswith("Hei,")


async def test_a_notice_of_a_kind_that_we_do_not_have_fails_and_says_so(house):
    kari = house.person(0)
    await house.know(kari)
    await house.rig.publish(
        NoticeRequestedV1(
            items=(Notice(notice_id=new_id(), person_id=kari.person_id, kind="poem"),)
        )
    )

    (row,) = await house.until_ended()

    assert ("failed", "cannot_be_written", "there is no template poem") == (
        row["state"], row["rule"], row["reason"],
    )  # fmt: skip


async def test_a_test_message_looks_like_the_real_one_and_counts_for_no_campaign(house):
    template_id = await house.save_template()
    test = campaign.TestMessage(
        test_id=new_id(), campaign_id=new_id(), cell_id=new_id(), template_id=template_id,
        to_email="vi@lys.example", preferred_name="Sjef", language=Language.NB,
    )  # fmt: skip
    await house.rig.publish(campaign.TestRequestedV1(items=(test,)))
    await house.until_ended()
    await house.rig.drain()

    (mail,) = house.mails()
    assert "vi@lys.example" == mail["To"]
    assert "Hei Sjef:" == mail["Subject"]
    assert mail["List-Unsubscribe"]
    assert [None] == [item.campaign_id for item in house.rig.items(MessageSettledV1)]
    html = mail.get_body(("html",)).get_content()
    links = sorted(set(re.findall(r"http://kantis\.test[^\"<> ]*", html)))
    assert {"/c/", "/o/", "/u/"} == {link.removeprefix("http://kantis.test")[:3] for link in links}
    async with house.rig.anonymous() as client:
        answers = [await client.get(link) for link in links]
        ahead = [one.headers["location"] for one in answers if one.status_code == 302]
        answers += [await client.get(url) for url in ahead if url.startswith("http://kantis.test")]
    await house.rig.drain()
    shown = [one for one in answers if "Dette er en test" in one.text]
    assert [200, 200] == [one.status_code for one in shown]  # the order page, the preferences
    assert ["This is a test" in one.text for one in answers if "<form" in one.text] == [True]
    assert [] == [*house.rig.items(LinkClickedV1), *house.rig.items(MessageOpenedV1)]


async def test_pieces_delivered_many_times_and_in_any_order_are_sent_once(house):
    await house.save_template()
    people = await _people(house, 25)
    launch = house.launch([one.person_id for one in people])
    again = launch.model_copy(update={"items": tuple(reversed(launch.items[5:20]))})

    await house.rig.publish(launch, again, launch, copies=2)
    await house.rig.drain()
    await house.until_ended(25)

    assert 25 == len(house.sink.messages) == len({record["rcpt"] for record in house.sink.messages})


async def test_a_launch_keeps_the_version_of_the_template_it_began_with(house):
    template_id = await house.save_template()
    people = await _people(house, 2)
    launch = house.launch([one.person_id for one in people])
    await house.rig.publish(launch.model_copy(update={"items": launch.items[:1]}))
    await house.until_ended(1)
    async with house.rig.client(scopes=["messaging:write"]) as client:
        changed = {"nb": {"subject": "Noe helt annet", "html": "<p>x</p>"}}
        assert (
            200
            == (
                await client.put(f"/v1/templates/{template_id}", json={"languages": changed})
            ).status_code
        )

    await house.rig.publish(launch.model_copy(update={"items": launch.items[1:]}))
    await house.until_ended(2)

    assert ["Hei Kari0: Lampe Æø", "Hei: Lampe Æø"] == [mail["Subject"] for mail in house.mails()]


async def test_a_mail_carries_the_headers_that_mail_programs_want(house):
    await house.save_template()
    (kari,) = await _people(house, 1)
    await house.rig.publish(house.launch([kari.person_id]))
    (row,) = await house.until_ended()

    (mail,) = house.mails()
    assert mail["List-Unsubscribe"].startswith("<http://kantis.test/u/")
    assert "List-Unsubscribe=One-Click" == mail["List-Unsubscribe-Post"]
    assert "<offers.lys.example>" == mail["List-Id"]
    assert "Lys AS <post@lys.example>" == mail["From"]
    assert str(row["id"]) == mail["X-Kantis-Dispatch"]
    assert row["rfc_message_id"] == mail["Message-ID"]
    html = mail.get_body(("html",)).get_content()
    text = mail.get_body(("plain",)).get_content()
    assert "Lampe Æø 499,00" in html.replace("\N{NO-BREAK SPACE}", " ")
    assert "https://shop.example" not in html + text
    assert 'href="http://kantis.test/u/' in html
    assert "http://kantis.test/p/preferences/" in text


async def test_with_a_key_of_ours_every_mail_is_signed_for_the_domain_of_its_sender(open_house):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    house = await open_house(dkim_selector="s1", dkim_key=pem)
    await house.save_template()
    (kari,) = await _people(house, 1)

    await house.rig.publish(house.launch([kari.person_id]), _confirmation())
    await house.until_ended(2)

    asked = []
    for sent in house.sink.messages:
        raw = sent["message"].encode()
        assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: asked.append(name) or record)
    assert {b"s1._domainkey.lys.example."} == set(asked)
    (marketing,) = [one for one in house.mails() if one["List-Unsubscribe"]]
    assert "list-unsubscribe:list-unsubscribe-post" in str(marketing["DKIM-Signature"]).replace(
        " ", ""
    )
