"""What people answer comes to a mailbox, and from there into its conversation, once."""

import pytest
from pydantic import ValidationError

from kantis_kit.testing.waiting import eventually
from messaging_svc.settings import MessagingSettings


@pytest.fixture
def open_inbox(imap, open_house):
    async def make(**more):
        return await open_house(
            reply_address="svar@lys.example", reply_imap_host="127.0.0.1", reply_imap_port=imap.port,
            reply_imap_tls="none", reply_imap_user="kari", reply_imap_password="hemmelig",
            reply_imap_seconds=0.02, **more,
        )  # fmt: skip

    return make


async def _get(house, path=""):
    async with house.rig.client() as client:
        answer = (await client.get(f"/v1/conversations{path}")).json()
    return answer if isinstance(answer, list) else answer["items"]


async def _until_read(imap, *uids):
    await eventually(lambda: set(uids) <= imap.seen, message=f"{uids} were not marked")


async def test_an_answer_to_a_mail_of_ours_is_fetched_into_the_conversation_of_its_person(
    imap, open_inbox, write_mail
):
    house = await open_inbox()
    await house.save_template()
    kari = house.person()
    await house.know(kari)
    await house.rig.publish(house.launch([kari.person_id]))
    (sent,) = await house.until_ended()
    (ours,) = house.mails()

    answer = write_mail("Kari <kari@jobb.example>", "Har dere den i blått?", to=ours["Reply-To"])
    imap.mails = {3: answer.as_bytes()}
    await _until_read(imap, 3)
    imap.mails[5] = write_mail("Kari <kari@jobb.example>", "Hallo?", to=ours["Reply-To"]).as_bytes()
    await _until_read(imap, 5)

    (found,) = await _get(house)
    assert (str(kari.person_id), str(sent["id"]), 2) == (
        found["person_id"], found["answers_id"], found["messages"],
    )  # fmt: skip
    texts = {one["body"] for one in await _get(house, f"/{found['id']}/messages")}
    assert {"Har dere den i blått?", "Hallo?"} == texts
    (mailbox,) = await _get(house, "/mailboxes")
    assert ("kari@127.0.0.1/INBOX", "", 2) == (
        mailbox["mailbox"], mailbox["problem"], mailbox["taken"],
    )  # fmt: skip


@pytest.mark.parametrize("where", ["SELECT", "BODY.PEEK", "STORE"])
async def test_a_server_that_breaks_off_costs_no_answer_and_doubles_none(
    imap, open_inbox, write_mail, where
):
    imap.mails, imap.breaks_at = {3: write_mail().as_bytes()}, where
    house = await open_inbox(smtp_host="")

    await _until_read(imap, 3)

    (found,) = await _get(house)
    assert 1 == found["messages"]


async def test_what_comes_back_to_the_mailbox_of_answers_is_a_bounce_and_no_conversation(
    imap, open_inbox, write_mail, bounced_mail
):
    away = write_mail(text="Jeg er bortreist.", subject="Fravær", Auto_Submitted="auto-replied")
    imap.mails = {3: bounced_mail(3), 4: away.as_bytes(), 5: b"no mail at all", 6: b""}
    house = await open_inbox(smtp_host="")

    await _until_read(imap, 3, 4, 5, 6)

    assert [] == await _get(house)
    async with house.rig.client() as client:
        bounces = (await client.get("/v1/bounces")).json()["items"]
        none = (await client.get("/v1/bounces/mailboxes")).json()
    assert "bad_address" in {one["category"] for one in bounces}
    assert {"bad_address", "auto_reply"} >= {one["category"] for one in bounces}
    assert [] == none, "it is no mailbox of bounces"


def test_one_mailbox_is_not_looked_into_twice():
    twice = {
        f"{kind}_imap_{name}": value
        for kind in ("bounce", "reply")
        for name, value in (("host", "imap.lys.example"), ("user", "post"))
    }

    with pytest.raises(ValidationError, match="name the same mailbox"):
        MessagingSettings(**twice)
    assert MessagingSettings(**(twice | {"bounce_imap_folder": "Bounces"})).reply_imap_host
