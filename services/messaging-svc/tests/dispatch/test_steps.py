"""What a rule or programme wants said: one message, past the gate, that tells why it was sent."""

from datetime import UTC, datetime

import pytest

from kantis_contracts.campaign import Step, StepAsker, StepRequestedV1
from kantis_contracts.messaging import MessageSettledV1, TemplateChangedV1
from kantis_contracts.values import Channel, MessageClass, Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

NOTICE = {
    "nb": {
        "subject": "Nye vilkår", "preheader": "Les dem i ro og mak",
        "html": "<html><body><p>Vilkårene endres 1. mai. Vi har lagt dem ved her.</p></body></html>",
    }
}  # fmt: skip
REASON = "The terms change on 1 May"
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


async def test_a_service_step_needs_no_permission_and_tells_its_class_and_why(house):
    await house.save_template(NOTICE, message_class="service")
    kari = house.person(0)
    await house.know(kari, purposes=())
    event = asked(house, kari, message_class=MessageClass.SERVICE, class_reason=REASON)

    await house.rig.publish(event, copies=2)
    [row] = await house.until_ended(1)

    assert ("accepted", False) == (row["state"], row["is_marketing"])
    [mail] = house.mails()
    assert mail["List-Unsubscribe"] is None
    async with house.rig.client(scopes=["messaging:read"]) as client:
        why = (await client.get(f"/v1/messages/{row['id']}/why")).json()
    assert ("service", REASON) == (why["step"]["message_class"], why["step"]["class_reason"])
    assert why["permission"] is None


async def test_what_is_written_to_sell_does_not_go_as_a_service_whatever_the_step_says(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    event = asked(house, kari, message_class=MessageClass.SERVICE, class_reason=REASON)

    await house.rig.publish(event)
    [row] = await house.until_ended(1)

    assert ("suppressed", "sells_in_notice") == (row["state"], row["rule"])
    assert [] == house.mails()
    async with house.rig.client(scopes=["messaging:read"]) as client:
        why = (await client.get(f"/v1/messages/{row['id']}/why")).json()
    assert ("stopped", "It is to go without permission, and its template is written to sell") == (
        why["gate"]["verdict"], why["gate"]["sentence"],
    )  # fmt: skip


@pytest.mark.parametrize("message_class", [MessageClass.SERVICE, MessageClass.TRANSACTIONAL])
async def test_a_service_keeps_the_hours_and_what_somebody_waits_for_does_not(house, message_class):
    await house.save_template(NOTICE, message_class=message_class.value)
    kari = house.person(0, time_zone="Europe/Oslo")
    await house.know(kari, purposes=())
    week = {
        "days": [{"opens": "08:00", "closes": "20:00"}] * 5 + [None] * 2, "rests_on_holidays": True,
    }  # fmt: skip
    async with house.rig.client(scopes=["messaging:write"]) as client:
        set_ = await client.put("/v1/sending-rules/hours/email", json=week)
    assert set_.status_code == 200, set_.text
    house.rig.clock.set(datetime(2026, 3, 6, 19, 30, tzinfo=UTC))  # Friday, 20:30 in Oslo

    async def decided():
        return [row for row in await house.rows() if row["rule"]]

    await house.rig.publish(asked(house, kari, message_class=message_class, class_reason=REASON))
    [row] = await eventually(decided, message="nothing was decided")

    if message_class is MessageClass.SERVICE:
        assert ("waits_for_hours", datetime(2026, 3, 9, 7, tzinfo=UTC)) == (
            row["rule"], row["next_at"],
        )  # fmt: skip
        house.rig.clock.set(datetime(2026, 3, 9, 7, tzinfo=UTC))
    [row] = await house.until_ended(1)
    assert "accepted" == row["state"]


async def test_others_hear_of_which_class_the_version_is_that_stands(house):
    template_id = await house.save_template()
    async with house.rig.client(scopes=["messaging:write"]) as client:
        path = f"/v1/templates/{template_id}"
        notice = {"languages": NOTICE, "message_class": "service", "is_draft": True}
        draft = await client.put(path, json=notice)
        stands = await client.post(f"{path}/versions/2/activate")
    assert draft.is_success, draft.text
    assert stands.is_success, stands.text
    await house.rig.drain()

    cards = house.rig.items(TemplateChangedV1)
    assert [(1, 1, "marketing"), (2, 2, "service")] == [
        (one.revision, one.number, one.message_class) for one in cards
    ]
    assert {template_id} == {one.template_id for one in cards}
