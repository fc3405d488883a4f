"""A message that advertises waits for the hour: that of the company and country, and the one that its person wishes."""

from datetime import UTC, datetime, timedelta

from kantis_contracts.contacts import PreferenceCard, PreferenceChangedV1
from kantis_contracts.orders import Notice, NoticeRequestedV1
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

WEEK = [{"opens": "08:00", "closes": "20:00"}] * 5


async def _own_hours(house, **changes):
    body = {"days": [*WEEK, None, None], "rests_on_holidays": True} | changes
    async with house.rig.client(scopes=["messaging:write"]) as client:
        answer = await client.put("/v1/sending-rules/hours/email", json=body)
    assert answer.status_code == 200, answer.text


async def _wish(house, person, **said):
    said.setdefault("changed_at", house.rig.clock.now())
    card = PreferenceCard(person_id=person.person_id, **({"version": 1} | said))
    await house.rig.publish(PreferenceChangedV1(items=(card,)))
    await house.rig.drain()


async def _known(house, **changes):
    await house.save_template()
    kari = house.person(0, time_zone="Europe/Oslo", **changes)
    await house.know(kari)
    return kari


async def _ruled(house, rule):
    async def found():
        return [row for row in await house.rows() if row["rule"] == rule]

    (row,) = await eventually(found, message=f"nothing was decided by {rule}")
    return row


async def test_outside_the_hours_a_message_waits_with_its_moment_and_is_sent_then(house):
    kari = await _known(house)
    await _own_hours(house)
    house.rig.clock.set(datetime(2026, 3, 6, 19, 30, tzinfo=UTC))  # Friday, 20:30 in Oslo

    await house.rig.publish(house.launch([kari.person_id]))
    row = await _ruled(house, "waits_for_hours")
    async with house.rig.client(scopes=["messaging:read"]) as client:
        why = (await client.get(f"/v1/messages/{row['id']}/why")).json()
    monday = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)

    assert [] == house.sink.attempts
    assert ("planned", monday) == (row["state"], row["next_at"])
    assert "2026-03-09T07:00:00Z" == why["message"]["due_at"]
    assert "waits" == why["gate"]["verdict"]
    assert ["waits_for_hours"] == [one["rule"] for one in why["gate"]["decisions"]]
    house.rig.clock.set(monday)
    (row,) = await house.until_ended()
    assert "accepted" == row["state"]


async def test_the_wished_hours_and_days_of_a_person_hold_in_their_own_zone(house):
    kari = await _known(house)
    await _wish(house, kari, hour_from=18, hour_to=20, days=(2, 4))

    await house.rig.publish(house.launch([kari.person_id]))
    row = await _ruled(house, "waits_for_wished_hours")

    assert datetime(2026, 3, 3, 17, 0, tzinfo=UTC) == row["next_at"]
    await _wish(house, kari, version=2)
    (row,) = await house.until_ended()
    assert "accepted" == row["state"]


async def test_a_message_that_waits_longer_than_it_is_good_for_expires_and_says_why(house):
    kari = await _known(house)
    await _wish(house, kari, days=(7,))
    good_until = house.rig.clock.now() + timedelta(days=1)

    await house.rig.publish(house.launch([kari.person_id], not_after=good_until))
    row = await _ruled(house, "waits_for_wished_hours")
    assert good_until == row["next_at"]
    house.rig.clock.set(good_until)
    (row,) = await house.until_ended()

    assert ("expired", "expired", "waits_for_wished_hours") == (
        row["state"], row["rule"], row["reason"],
    )  # fmt: skip


async def test_hours_that_never_meet_suppress_the_message_instead_of_letting_it_wait_for_ever(
    house,
):
    kari = await _known(house)
    await _own_hours(house)
    await _wish(house, kari, days=(6, 7))

    await house.rig.publish(house.launch([kari.person_id]))
    (row,) = await house.until_ended()

    assert ("suppressed", "no_common_hours") == (row["state"], row["rule"])


async def test_mail_that_is_no_advertising_is_not_held(house):
    kari = await _known(house)
    await _own_hours(house, days=[None] * 6 + [{"opens": "08:00", "closes": "09:00"}])
    await _wish(house, kari, days=(7,), per_month=1)

    facts = {"reference": "1", "amount": "1", "lines": ""}
    notice = Notice(
        notice_id=new_id(), person_id=kari.person_id, kind="invoice_issued", facts=facts
    )
    await house.rig.publish(NoticeRequestedV1(items=(notice,)))
    (row,) = await house.until_ended()

    assert "accepted" == row["state"]
