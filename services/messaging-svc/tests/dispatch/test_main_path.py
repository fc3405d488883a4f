"""From a released piece to a mail, to its settled event."""

from kantis_contracts.contacts import ConfirmationRequest, ConfirmationRequestedV1
from kantis_contracts.messaging import MessageSettledV1, SettledState
from kantis_kit.ids import new_id
from messaging_svc.dispatch import usecases


async def test_a_piece_becomes_one_personal_mail_and_one_settled_item(house):
    await house.save_template()
    kari, ola = house.person(0), house.person(1)
    await house.know(kari, ola)

    launch = house.launch([kari.person_id, ola.person_id])
    await house.rig.publish(launch)
    rows = await house.until_ended(2)
    await house.rig.drain()

    assert ["accepted", "accepted"] == [row["state"] for row in rows]
    mails = {mail["To"]: mail for mail in house.mails()}
    assert {"kari0@kunde.example", "kari1@kunde.example"} == set(mails)
    assert "Hei Kari0: Lampe Æø" == mails["kari0@kunde.example"]["Subject"]
    assert "Hei: Lampe Æø" == mails["kari1@kunde.example"]["Subject"]
    settled = house.rig.items(MessageSettledV1)
    assert {SettledState.ACCEPTED} == {item.state for item in settled}
    assert {piece.piece_id for piece in launch.items} == {item.piece_id for item in settled}
    assert {launch.campaign_id} == {item.campaign_id for item in settled}
    assert {launch.cell_id} == {item.cell_id for item in settled}


async def test_mails_that_are_asked_for_one_by_one_are_planned_together_and_each_once(
    house, monkeypatch
):
    planned, plan = [], usecases.plan

    async def planning(tx, rows):
        planned.append(len(rows))
        await plan(tx, rows)

    monkeypatch.setattr(usecases, "plan", planning)
    asked = [
        ConfirmationRequestedV1(
            items=(
                ConfirmationRequest(
                    request_id=new_id(),
                    person_id=new_id(),
                    email=f"ny{n}@kunde.example",
                    form_key="f",
                    confirm_path=f"p/{n}",
                ),
            )
        )
        for n in range(12)
    ]
    await house.rig.publish(*asked, asked[0])
    await house.until_ended(12)
    await house.rig.drain()

    assert {f"ny{n}@kunde.example" for n in range(12)} == {mail["To"] for mail in house.mails()}
    assert 12 == len(house.mails())
    assert 13 == sum(planned)
    assert 13 > len(planned), "each was planned by a statement of its own"
