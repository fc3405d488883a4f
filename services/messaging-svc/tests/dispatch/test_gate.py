"""Directly before its hand-over, each message is asked whether it may go."""

from datetime import timedelta

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.messaging import MessageSettledV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.testing.waiting import eventually


async def _send(house, persons, **changes):
    launch = house.launch([one.person_id for one in persons], **changes)
    await house.rig.publish(launch)
    return launch


@pytest.mark.parametrize(
    ("state", "rule"), [("withdrawn", "permission_withdrawn"), ("pending", "permission_pending")]
)
async def test_without_a_granted_permission_nothing_is_sent(house, state, rule):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    await house.permit([kari.person_id], state=state, version=2)
    await house.rig.drain()

    await _send(house, [kari])
    (row,) = await house.until_ended()
    await house.rig.drain()

    assert ("suppressed", rule) == (row["state"], row["rule"])
    assert [] == house.sink.attempts
    assert [rule] == [item.reason for item in house.rig.items(MessageSettledV1)]


async def test_a_permission_for_another_purpose_is_none(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari, purposes=(Purpose.NEWSLETTER,))

    await _send(house, [kari])
    await house.until("planned")
    await eventually(lambda: _rule(house, "waits_for_permission"), message="it was not decided on")
    house.rig.clock.advance(timedelta(hours=1))
    (row,) = await house.until_ended()

    assert ("suppressed", "no_permission") == (row["state"], row["rule"])
    assert [] == house.sink.attempts


async def _rule(house, rule):
    return [row for row in await house.rows() if row["rule"] == rule]


async def test_a_piece_that_comes_before_its_person_and_permission_waits_for_both(house):
    await house.save_template()
    kari = house.person(0)

    await _send(house, [kari])
    await eventually(lambda: _rule(house, "waits_for_person"), message="it was not decided on")
    await house.rig.publish(PersonChangedV1(items=(kari,)))
    await eventually(lambda: _rule(house, "waits_for_permission"), message="the card did not help")
    await house.permit([kari.person_id])
    (row,) = await house.until_ended()

    assert "accepted" == row["state"]
    assert 1 == len(house.sink.messages)


async def test_a_person_whose_card_never_comes_fails_in_the_end_and_is_named(house):
    await house.save_template()
    await _send(house, [house.person(0)])
    await eventually(lambda: _rule(house, "waits_for_person"), message="it was not decided on")

    house.rig.clock.advance(timedelta(days=2))
    (row,) = await house.until_ended()

    assert ("failed", "person_unknown") == (row["state"], row["rule"])


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"email": None}, "no_address"),
        ({"email": None, "preferred_name": "", "is_erased": True}, "erased"),
    ],
)
async def test_whom_no_mail_can_reach_gets_none(house, changes, rule):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari.model_copy(update=changes))

    await _send(house, [kari])
    (row,) = await house.until_ended()

    assert ("suppressed", rule) == (row["state"], row["rule"])


async def test_an_erased_person_does_not_come_back_with_a_later_card(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari.model_copy(update={"is_erased": True, "version": 2}))
    await house.know(kari.model_copy(update={"version": 3}))

    await _send(house, [kari])
    (row,) = await house.until_ended()

    assert ("suppressed", "erased") == (row["state"], row["rule"])
    pool = await house.rig.service.database.pool()
    assert (None, "") == tuple(await pool.fetchrow("SELECT email, preferred_name FROM person_card"))


async def test_an_older_card_does_not_replace_a_newer_one(house):
    await house.save_template()
    kari = house.person(0, version=5, preferred_name="Ny")
    await house.know(kari)
    await house.rig.publish(
        PersonChangedV1(items=(kari.model_copy(update={"version": 4, "preferred_name": "Gammel"}),))
    )
    await house.rig.drain()

    await _send(house, [kari])
    await house.until_ended()

    assert "Hei Ny: Lampe Æø" == house.mails()[0]["Subject"]


async def test_a_piece_whose_time_has_run_out_expires(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)

    await _send(house, [kari], not_after=house.rig.clock.now() - timedelta(seconds=1))
    (row,) = await house.until_ended()

    assert ("expired", "expired") == (row["state"], row["rule"])


async def test_a_channel_that_we_cannot_send_in_fails_clearly(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)

    await _send(house, [kari], channel=Channel.SMS)
    (row,) = await house.until_ended()

    assert ("failed", "channel_not_available") == (row["state"], row["rule"])


async def test_a_template_that_does_not_exist_fails_clearly(house):
    kari = house.person(0)
    await house.know(kari)

    await _send(house, [kari])
    (row,) = await house.until_ended()

    assert ("failed", "template_unknown") == (row["state"], row["rule"])


async def test_a_suppressed_address_gets_no_marketing_whoever_it_belongs_to(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    async with house.rig.client(scopes=["messaging:write"]) as client:
        answer = await client.post(
            "/v1/suppressions", json={"emails": [" KARI0@kunde.example"], "reason": "objection"}
        )
        asked = await client.post("/v1/suppressions/check", json={"email": "kari0@kunde.example"})
        listed = await client.get("/v1/suppressions")

    await _send(house, [kari])
    (row,) = await house.until_ended()

    assert {"added": 1, "already": 0} == answer.json()
    assert asked.json()["is_suppressed"]
    assert "kari0" not in listed.text
    assert ("suppressed", "address_suppressed") == (row["state"], row["rule"])


async def test_a_lifted_suppression_lets_mail_through_again(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    async with house.rig.client(scopes=["messaging:write"]) as client:
        await client.post("/v1/suppressions", json={"emails": [kari.email], "reason": "manual"})
        (entry,) = (await client.get("/v1/suppressions")).json()["items"]
        assert 204 == (await client.delete(f"/v1/suppressions/{entry['id']}")).status_code
        assert 404 == (await client.delete(f"/v1/suppressions/{entry['id']}")).status_code

    await _send(house, [kari])
    (row,) = await house.until_ended()

    assert "accepted" == row["state"]


async def test_what_is_no_address_is_not_suppressed_but_named(house):
    async with house.rig.client(scopes=["messaging:write"]) as client:
        answer = await client.post(
            "/v1/suppressions",
            json={"emails": ["kari@kunde.example", " ", "nobody"], "reason": "manual"},
        )
        listed = await client.get("/v1/suppressions")

    assert 422 == answer.status_code
    assert ["emails.1", "emails.2"] == [one["field"] for one in answer.json()["errors"]]
    assert [] == listed.json()["items"]


async def test_news_that_come_while_a_message_is_decided_on_are_not_slept_through(open_house):
    house = await open_house(smtp_host="")
    await house.save_template()
    kari = house.person(0)
    await _send(house, [kari])
    await house.until("planned")
    pool = await house.rig.service.database.pool()
    later = house.rig.clock.now() + timedelta(minutes=10)

    async def somebody_waits():
        return await pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )

    async with pool.acquire() as claim, claim.transaction():
        # A claim that has seen no permission, and has not committed yet.
        await claim.execute(
            "UPDATE dispatch SET rule = 'waits_for_permission', next_at = $1", later
        )
        await house.permit([kari.person_id])
        await eventually(somebody_waits, message="the news did not wait for the claim")
    await house.rig.drain()

    (row,) = await house.rows()
    assert house.rig.clock.now() == row["next_at"]
