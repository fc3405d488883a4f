"""A launch that is paused hands nothing over; one that is stopped ends; one that spikes pauses itself."""

from datetime import timedelta

from kantis_contracts.campaign import (
    LaunchHold,
    LaunchPausedV1,
    LaunchResumedV1,
    LaunchStoppedV1,
)
from kantis_contracts.messaging import MessageSettledV1, SpikeNoticedV1
from kantis_kit.ids import new_id
from kantis_kit.testing.smtp import Fault
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write
from messaging_svc.holds.schemas import Kind
from messaging_svc.holds.spikes import count_signals


def _decided(house, launch, version):
    return (
        LaunchHold(
            launch_id=launch.launch_id,
            campaign_id=launch.campaign_id,
            version=version,
            reason="a person",
            decided_at=house.rig.clock.now(),
        ),
    )


async def _tell(house, event):
    await house.rig.publish(event)
    await house.rig.drain()


async def _people(house, count):
    await house.save_template()
    people = [house.person(n) for n in range(count)]
    await house.know(*people)
    return [one.person_id for one in people]


async def _all_ruled(house, rule, count):
    async def found():
        return len([row for row in await house.rows() if row["rule"] == rule]) == count

    await eventually(found, message=f"not {count} were decided by {rule}")


async def test_a_paused_launch_waits_however_the_news_come_and_goes_on_when_it_is_resumed(house):
    people = await _people(house, 5)
    launch, other = house.launch(people), house.launch(people[:1])
    # The pause is there before the pieces are, and an older decision comes after it.
    await _tell(house, LaunchPausedV1(items=_decided(house, launch, 3)))
    await _tell(house, LaunchResumedV1(items=_decided(house, launch, 2)))
    await house.rig.publish(launch, other)

    await _all_ruled(house, "waits_for_resume", 5)
    await house.until("accepted", 1)
    assert 1 == len(house.sink.messages)
    await _tell(house, LaunchResumedV1(items=_decided(house, launch, 4)))
    await house.until_ended(6)

    assert 6 == len(house.sink.messages)


async def test_a_stopped_launch_ends_and_everybody_of_it_is_accounted_for(house):
    people = await _people(house, 4)
    launch = house.launch([*people, new_id()])
    await _tell(house, LaunchPausedV1(items=_decided(house, launch, 1)))
    await house.rig.publish(launch)
    await _all_ruled(house, "waits_for_resume", 5)

    await _tell(house, LaunchStoppedV1(items=_decided(house, launch, 2)))
    rows = await house.until_ended(5)
    await _tell(house, LaunchResumedV1(items=_decided(house, launch, 3)))
    await house.rig.drain()

    assert {("suppressed", "launch_stopped")} == {(row["state"], row["rule"]) for row in rows}
    assert ["launch_stopped"] * 5 == [one.reason for one in house.rig.items(MessageSettledV1)]
    assert [] == house.sink.attempts


async def test_what_is_claimed_when_the_pause_comes_is_not_handed_over(open_house, open_hands):
    house = await open_house(smtp_host="")
    launch = house.launch(await _people(house, 6))
    await house.rig.publish(launch)
    await house.until("planned", 6)
    async with open_hands(house, 1) as [(hand, mails)]:
        items, _ = await hand.claim(mails)
        assert await hand.hand_over(items[0])

        await _tell(house, LaunchPausedV1(items=_decided(house, launch, 1)))
        granted = [await hand.hand_over(item) for item in items[1:]]
        await hand.claim(mails)
        await _tell(house, LaunchResumedV1(items=_decided(house, launch, 2)))
        again, _ = await hand.claim(mails)

    assert [False] * 5 == granted
    assert {item.id for item in items[1:]} == {item.id for item in again}


async def test_a_launch_whose_messages_bounce_pauses_itself_and_a_person_resumes_it(house):
    people = await _people(house, 40)
    async with house.rig.client() as client:
        limit = {"rate_pct": 10, "min_messages": 10, "window_minutes": 60}
        answer = await client.put("/v1/sending-rules/spikes/bounce", json=limit)
        assert (200, 10) == (answer.status_code, answer.json()[0]["min_messages"])
        nonsense = await client.put(
            "/v1/sending-rules/spikes/bounce", json={**limit, "rate_pct": 0}
        )
        assert 422 == nonsense.status_code
    house.sink.faults.set("*", Fault(rcpt="550 5.1.1 no such user"))
    first, rest = house.launch(people[:20]), people[20:]
    await house.rig.publish(first)
    await house.until_ended(20)
    await house.rig.drain()

    (spike,) = house.rig.items(SpikeNoticedV1)
    assert ("bounce", first.launch_id, 10) == (spike.kind, spike.launch_id, spike.limit_pct)
    assert spike.count == spike.of_messages >= 10
    house.sink.faults.set("*", Fault())
    await house.rig.publish(
        first.model_copy(update={"items": house.launch(rest).items, "cell_id": new_id()})
    )
    await _all_ruled(house, "waits_for_resume", 20)
    assert [] == house.sink.messages
    house.rig.clock.advance(timedelta(minutes=1))
    await _tell(house, LaunchResumedV1(items=_decided(house, first, 1)))
    await house.until_ended(40)
    await house.rig.drain()

    # What had bounced before the person resumed it is not counted again.
    assert (20, 1) == (len(house.sink.messages), len(house.rig.items(SpikeNoticedV1)))


async def test_complaints_count_once_each_whenever_they_come_and_below_the_least_number_nothing_happens(
    house,
):
    people = await _people(house, 12)
    async with house.rig.client() as client:
        limit = {"rate_pct": 10, "min_messages": 12, "window_minutes": 600}
        await client.put("/v1/sending-rules/spikes/complaint", json=limit)
    few, many = house.launch(people[:11]), house.launch(people)
    await house.rig.publish(few, many)
    rows = await house.until_ended(23)
    await house.rig.drain()

    async def complain(launch, count):
        of_launch = [row["id"] for row in rows if row["origin_id"] == launch.launch_id][:count]
        async with write(house.rig.service.scope, actor="test") as tx:
            await count_signals(
                tx, Kind.COMPLAINT, [(one, house.rig.clock.now()) for one in of_launch * 3]
            )
        await house.rig.drain()

    await complain(few, 11)
    await complain(many, 1)
    await complain(many, 1)
    assert [] == house.rig.items(SpikeNoticedV1)
    await complain(many, 2)

    (spike,) = house.rig.items(SpikeNoticedV1)
    assert (many.launch_id, "complaint", 2, 12) == (
        spike.launch_id, spike.kind, spike.count, spike.of_messages,
    )  # fmt: skip
