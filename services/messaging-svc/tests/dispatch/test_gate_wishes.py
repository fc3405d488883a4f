"""What people want, and what stands against their addresses, is asked for directly before each hand-over."""

from datetime import timedelta

import pytest

from kantis_contracts.contacts import (
    PersonChangedV1,
    PreferenceCard,
    PreferenceChangedV1,
    SuppressionChangedV1,
    SuppressionEntry,
)
from kantis_contracts.messaging import MessageSettledV1
from kantis_kit.ids import new_id

LIST = new_id()


async def _send(house, person, **changes):
    before = len(await house.rows())
    await house.rig.publish(house.launch([person.person_id], **changes))
    row = (await house.until_ended(before + 1))[-1]
    async with house.rig.client(scopes=["messaging:read"]) as client:
        why = (await client.get(f"/v1/messages/{row['id']}/why")).json()
    assert row["rule"] == why["gate"]["rule"] == why["message"]["rule"]
    # Every rule has a sentence of its own for whoever asks.
    assert why["gate"]["sentence"] != row["rule"]
    return row["state"], row["rule"], row["reason"]


async def _known(house, **changes):
    await house.save_template()
    kari = house.person(0, phone="+4741234567", **changes)
    await house.know(kari)
    return kari


async def _wish(house, person, version=1, **said):
    said.setdefault("changed_at", house.rig.clock.now())
    card = PreferenceCard(person_id=person.person_id, version=version, **said)
    await house.rig.publish(PreferenceChangedV1(items=(card,)))
    await house.rig.drain()


def _suppression(house, **values):
    given = {
        "suppression_id": new_id(), "version": 1, "kind": "email", "address": "KARI0@kunde.example ",
        "scope": "everything", "changed_at": house.rig.clock.now(),
    }  # fmt: skip
    return SuppressionEntry(**(given | values))


async def _suppress(house, *entries):
    for entry in entries:
        await house.rig.publish(SuppressionChangedV1(items=(entry,)))
    await house.rig.drain()


async def test_who_is_not_to_be_contacted_gets_nothing_that_advertises(house):
    kari = await _known(house, do_not_contact=True)

    assert ("suppressed", "do_not_contact", "") == await _send(house, kari)

    await house.rig.publish(
        PersonChangedV1(items=(kari.model_copy(update={"do_not_contact": False, "version": 2}),))
    )
    await house.rig.drain()
    assert "accepted" == (await _send(house, kari))[0]


async def test_who_is_not_to_be_approached_before_a_day_is_approached_on_that_day(house):
    day = (house.rig.clock.now() + timedelta(days=2)).date()
    kari = await _known(house, not_before=day)

    assert ("suppressed", "not_before", f"not before {day}") == await _send(house, kari)
    house.rig.clock.advance(timedelta(days=2))
    assert "accepted" == (await _send(house, kari))[0]


async def test_a_pause_ends_when_it_was_said_to_end(house):
    kari = await _known(house)
    until = house.rig.clock.now() + timedelta(days=30)
    await _wish(house, kari, paused_until=until)

    assert ("suppressed", "paused", f"until {until.date()}") == await _send(house, kari)
    await house.rig.drain()
    assert ["paused"] == [item.reason for item in house.rig.items(MessageSettledV1)]

    house.rig.clock.advance(timedelta(days=30))
    assert "accepted" == (await _send(house, kari))[0]


async def test_a_topic_that_was_refused_stops_messages_about_it_and_no_others(house):
    kari = await _known(house)
    await _wish(house, kari, topics={"garden": False, "boats": True})

    assert ("suppressed", "topic_refused", "") == await _send(house, kari, topic="garden")
    assert "accepted" == (await _send(house, kari, topic="boats"))[0]
    assert "accepted" == (await _send(house, kari, topic="cars"))[0]
    assert "accepted" == (await _send(house, kari))[0]


async def test_wishes_come_in_any_order_and_the_newest_counts(house):
    kari = await _known(house)
    now = house.rig.clock.now()
    await _wish(house, kari, version=3, paused_until=None)
    await _wish(house, kari, version=2, paused_until=now + timedelta(days=30))

    assert "accepted" == (await _send(house, kari))[0]
    await _wish(
        house, kari, version=4, paused_until=now + timedelta(days=3), channels=("sms", "email"),
        hour_from=9, hour_to=17, days=(1, 5), per_month=2,
    )  # fmt: skip
    assert "paused" == (await _send(house, kari))[1]
    pool = await house.rig.service.database.pool()
    kept = await pool.fetchrow("SELECT hour_from, hour_to, per_month, version FROM wish_card")
    assert (9, 17, 2, 4) == tuple(kept)


@pytest.mark.parametrize(
    ("entry", "launch", "rule"),
    [
        ({"scope": "everything"}, {}, "suppressed_everything"),
        ({"scope": "channel", "scope_id": "email"}, {}, "suppressed_channel"),
        ({"scope": "channel", "scope_id": "sms"}, {}, "allowed"),
        ({"scope": "topic", "scope_id": "garden"}, {"topic": "garden"}, "suppressed_topic"),
        ({"scope": "topic", "scope_id": "garden"}, {"topic": "boats"}, "allowed"),
        ({"scope": "list", "scope_id": str(LIST)}, {"list_id": LIST}, "suppressed_list"),
        ({"scope": "list", "scope_id": str(LIST)}, {"list_id": new_id()}, "allowed"),
        ({"kind": "phone", "address": "+4741234567"}, {}, "suppressed_everything"),
        ({"address": "somebody@kunde.example"}, {}, "allowed"),
    ],
)
async def test_a_suppression_holds_in_its_scope(house, entry, launch, rule):
    kari = await _known(house)
    await _suppress(house, _suppression(house, **entry))

    assert rule == (await _send(house, kari, **launch))[1]


async def test_a_lifted_suppression_is_lifted_in_whatever_order_that_is_heard(house):
    kari = await _known(house)
    made = _suppression(house)
    gone = made.model_copy(update={"version": 2, "address": "", "is_lifted": True})

    await _suppress(house, gone, made)
    assert "accepted" == (await _send(house, kari))[0]

    again = _suppression(house)
    await _suppress(house, again)
    assert "suppressed_everything" == (await _send(house, kari))[1]
    pool = await house.rig.service.database.pool()
    assert not await pool.fetchval(
        "SELECT count(*) FROM suppression_card WHERE suppression_card::text ILIKE '%kari%'"
    )


async def test_what_comes_between_claim_and_hand_over_still_counts(house):
    kari = await _known(house)
    pool = await house.rig.service.database.pool()
    async with pool.acquire() as connection, connection.transaction():
        # The hand-over waits for this row, as it does for a person's no.
        await connection.execute("SELECT FROM person_card FOR UPDATE")
        await house.rig.publish(house.launch([kari.person_id]))
        await house.until("claimed")
        await _wish(house, kari, paused_until=house.rig.clock.now() + timedelta(days=1))
    (row,) = await house.until_ended()

    assert ("suppressed", "paused") == (row["state"], row["rule"])
    assert [] == house.sink.attempts
