"""What a rule or programme wants said: one message, past the gate, that tells why it was sent."""

from kantis_contracts.campaign import Step, StepAsker, StepRequestedV1
from kantis_contracts.messaging import MessageSettledV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id

WHY = "Har ringt og klaget mer enn tre ganger"


def asked(house, *persons, **changes):
    values = {
        "asker": StepAsker(kind="rule", id=new_id(), name="Klager", version=2),
        "channel": Channel.EMAIL,
        "purpose": Purpose.OFFERS,
        "template_id": house.template_id,
        "items": tuple(
            Step(
                step_id=new_id(), person_id=one.person_id, because=(WHY,), facts={"complaints": "4"}
            )
            for one in persons
        ),
    }
    return StepRequestedV1(**(values | changes))


async def test_a_step_is_mailed_once_tells_its_step_and_names_the_rule_and_its_clauses(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    event = asked(house, kari)

    await house.rig.publish(event, copies=2)
    [row] = await house.until_ended(1)
    await house.rig.drain()

    assert ("step", "accepted", event.items[0].step_id) == (
        row["origin"], row["state"], row["origin_id"],
    )  # fmt: skip
    [mail] = house.mails()
    assert "kari0@kunde.example" == mail["To"]
    [told] = house.rig.items(MessageSettledV1)
    assert (event.items[0].step_id, None, None) == (told.step_id, told.campaign_id, told.piece_id)
    async with house.rig.client(scopes=["messaging:read"]) as client:
        why = (await client.get(f"/v1/messages/{row['id']}/why")).json()
    assert ("rule", "Klager", 2) == (
        why["step"]["kind"],
        why["step"]["name"],
        why["step"]["version"],
    )
    assert ([WHY], {"complaints": "4"}) == (why["step"]["because"], why["step"]["facts"])
    assert (None, None) == (why["campaign"], why["segment"])


async def test_a_step_without_consent_is_stopped_by_the_gate_like_every_message(house):
    await house.save_template()
    kari, ola = house.person(0), house.person(1)
    await house.know(kari, ola)
    await house.permit([ola.person_id], state="withdrawn", version=2)
    await house.rig.drain()

    await house.rig.publish(asked(house, kari, ola))
    rows = await house.until_ended(2)
    await house.rig.drain()

    by_person = {row["person_id"]: (row["state"], row["rule"]) for row in rows}
    assert ("suppressed", "permission_withdrawn") == by_person[ola.person_id]
    assert "accepted" == by_person[kari.person_id][0]
    assert 1 == len(house.mails())
