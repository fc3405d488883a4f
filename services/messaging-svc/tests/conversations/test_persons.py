"""Conversations follow people who were merged, are told to whoever asks, and go with whoever is erased."""

import json
from datetime import timedelta
from email.message import EmailMessage

from kantis_contracts.contacts import PersonMergedV1
from kantis_contracts.contacts.privacy import (
    DossierRequest,
    DossierRequestedV1,
    ErasureRequest,
    ErasureRequestedV1,
)
from kantis_contracts.messaging import MessagingDossierAnsweredV1, MessagingErasureCompletedV1
from kantis_kit.ids import new_id
from kantis_kit.retention import keep
from kantis_kit.testing.merges import Register
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write
from messaging_svc.privacy.retention import RULES


async def test_conversations_follow_a_merge_and_go_back(inbox, write_mail):
    one, two = await inbox.person(0), await inbox.person(1)
    register = Register([one, two], inbox.rig.clock.now())
    await inbox.post(write_mail("kari0@kunde.example"))
    await inbox.rig.publish(PersonMergedV1(items=(register.merge(one, two),)), copies=2)
    await inbox.rig.drain()
    together = [row["person_id"] for row in await inbox.found()]
    await inbox.post(write_mail("kari0@kunde.example", subject="Noe nytt"))
    later = [row["person_id"] for row in await inbox.found()]
    await inbox.rig.publish(PersonMergedV1(items=(register.undo(one),)))
    await inbox.rig.drain()

    assert [str(two)] == together
    assert [str(two)] * 2 == later
    assert [str(one)] * 2 == [row["person_id"] for row in await inbox.found()]


async def test_a_dossier_tells_what_was_said_and_an_erasure_leaves_nothing_of_it(inbox, write_mail):
    early = write_mail("kari0@kunde.example", "hemmelig: før dere kjente meg", subject="Tidlig")
    await inbox.post(early)
    kari = await inbox.person(0)
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "kari0@kunde.example", "hemmelig"
    mail.set_content("hemmelig spørsmål")
    mail.add_attachment(b"%PDF hemmelig", maintype="application", subtype="pdf", filename="x.pdf")
    taken = await inbox.post(mail)
    await inbox.answer(taken["conversation_id"], "hemmelig svar")
    await inbox.post(write_mail("ola@x.example", "Ola sitt"))
    await inbox.house.until_ended()

    await inbox.rig.publish(
        DossierRequestedV1(
            items=(
                DossierRequest(
                    dossier_id=new_id(), person_ids=(kari,), requested_at=inbox.rig.clock.now()
                ),
            )
        )
    )
    await inbox.rig.drain()
    told = "".join(one.content for one in inbox.rig.items(MessagingDossierAnsweredV1))
    await inbox.rig.publish(
        ErasureRequestedV1(
            items=(
                ErasureRequest(
                    erasure_id=new_id(), person_ids=(kari,), requested_at=inbox.rig.clock.now()
                ),
            )
        )
    )
    await inbox.rig.drain()

    assert {"hemmelig spørsmål", "hemmelig svar", "x.pdf"} <= {
        word for word in ("hemmelig spørsmål", "hemmelig svar", "x.pdf") if word in told
    }
    assert "%PDF" not in told
    assert json.loads(told)["conversation"][0]["person_id"] == str(kari)
    (receipt,) = inbox.rig.items(MessagingErasureCompletedV1)
    assert 2 == receipt.removed["conversation"]
    (left,) = await inbox.found()
    assert "ola@x.example" == left["email"]
    for table in ("conversation", "conversation_message", "conversation_file", "dispatch"):
        rows = await inbox.run(f"SELECT t::text AS text FROM {table} t")
        assert not [row for row in rows if "hemmelig" in row["text"] or "kari" in row["text"]]


async def test_old_conversations_are_deleted(inbox, write_mail):
    await inbox.post(write_mail())
    inbox.rig.clock.advance(timedelta(days=731))
    async with write(inbox.rig.service.scope) as tx:
        await keep(tx, RULES, service="messaging")

    async def are_gone():
        return not await inbox.run("SELECT 1 FROM conversation_message")

    # What the worker does of its own at so late a moment may hold the rows just then, and deletes them itself.
    await eventually(are_gone, message="an old conversation is kept")
