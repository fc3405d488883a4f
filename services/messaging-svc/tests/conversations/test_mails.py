"""Mails that people write: matched, put in order, answered in their thread."""

from kantis_contracts.messaging import ReplyAnsweredV1, ReplyReceivedV1


async def test_an_answer_to_our_mail_is_matched_by_its_address_and_answered_in_its_thread(
    inbox, write_mail
):
    await inbox.house.save_template()
    kari = await inbox.person()
    await inbox.rig.publish(inbox.house.launch([kari]))
    (sent,) = await inbox.house.until_ended()
    (ours,) = inbox.house.mails()

    reply = write_mail(
        "Kari på jobb <kari@jobb.example>", to=ours["Reply-To"], subject=f"SV: {ours['Subject']}",
        message_id="<m1@jobb.example>",
    )  # fmt: skip
    taken = await inbox.post(reply)
    again = await inbox.post(reply)

    assert ("conversation", "known") == (taken["outcome"], again["outcome"])
    (found,) = await inbox.found()
    assert (str(kari), str(sent["id"]), "Vår", "open", "running") == (
        found["person_id"], found["answers_id"], found["campaign_name"], found["state"], found["clock"],
    )  # fmt: skip

    answered = await inbox.answer(found["id"])
    assert 201 == answered.status_code, answered.text
    await inbox.house.until_ended(2)
    answer = inbox.house.mails()[-1]

    assert ("Re: Hei Kari0: Lampe Æø", "kari@jobb.example", "<m1@jobb.example>", "<m1@jobb.example>", None) == (
        answer["Subject"], answer["To"], answer["In-Reply-To"], answer["References"], answer["Auto-Submitted"],
    )  # fmt: skip
    assert "Ja, det har vi." in answer.get_body(("plain",)).get_content()
    assert ["in", "out"] == [one["direction"] for one in await inbox.messages(found["id"])]

    more = await inbox.post(
        write_mail("kari@jobb.example", "Takk!", to=answer["Reply-To"], subject="Noe annet")
    )
    assert found["id"] == more["conversation_id"]
    (found,) = await inbox.found()
    assert ("open", 3) == (found["state"], found["messages"])
    await inbox.rig.drain()
    assert [(kari, True), (kari, True)] == [
        (one.person_id, one.opens_conversation) for one in inbox.rig.items(ReplyReceivedV1)
    ]
    assert [kari] == [one.person_id for one in inbox.rig.items(ReplyAnsweredV1)]
