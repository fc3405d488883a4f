"""A launch that is paused hands nothing over; one that is stopped ends; one that spikes pauses itself."""

import asyncio
from datetime import timedelta

import pytest

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


async def test_what_is_handed_over_and_has_not_begun_when_the_pause_comes_is_taken_back(open_house):
    house = await open_house(sender_concurrency=1)
    people = await _people(house, 30)
    house.sink.faults.set("*", Fault(hang_at="data"))
    launch = house.launch(people)
    await house.rig.publish(launch)
    await house.until("handed_over", 2)

    await _tell(house, LaunchPausedV1(items=_decided(house, launch, 1)))
    await _all_ruled(house, "waits_for_resume", 29)
    (left,) = await house.rows("handed_over")
    await _tell(house, LaunchStoppedV1(items=_decided(house, launch, 2)))
    await house.until("suppressed", 29)
    await house.sink.stop()

    assert 1 == left["attempts"]
    assert {0} == {row["attempts"] for row in await house.rows("suppressed")}


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


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_launch_of_five_thousand_of_whom_a_third_bounce_pauses_itself_soon(house):
    people = await _people(house, 500)
    for start in range(500, 5_000, 500):
        more = [house.person(n) for n in range(start, start + 500)]
        await house.know(*more)
        people += [one.person_id for one in more]
    # A server that takes some hundred mails a second: what follows is a matter of its pace.
    house.sink.faults.set("*", Fault(delay_at="data", delay_seconds=0.02))
    for n in range(0, 5_000, 3):
        house.sink.faults.set(f"kari{n}@kunde.example", Fault(rcpt="550 5.1.1 no such user"))
    launch = house.launch(people[:500])
    rest = [
        launch.model_copy(update={"items": house.launch(people[start : start + 500]).items})
        for start in range(500, 5_000, 500)
    ]
    await house.rig.publish(launch, *rest)
    await _all_ruled(house, "waits_for_resume", 5_000 - await _ended(house))

    (spike,) = house.rig.items(SpikeNoticedV1)
    assert 200 <= spike.of_messages
    assert await _ended(house) - spike.of_messages <= 100


async def _ended(house):
    """Wait until nothing is on its way; return how many have ended."""

    async def at_rest():
        await house.rig.drain()
        rows = await house.rows()
        on_the_way = [row for row in rows if row["state"] in ("claimed", "handed_over")]
        held = [row for row in rows if row["rule"] == "waits_for_resume"]
        return rows if held and not on_the_way and len(rows) == 5_000 else None

    rows = await eventually(at_rest, message="it did not come to rest", within=300)
    return len([row for row in rows if row["settled_at"]])


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


async def test_a_claim_that_saw_the_pause_and_ends_after_the_resume_lets_nobody_sleep(
    open_house, open_hands
):
    house = await open_house(smtp_host="")
    people = await _people(house, 3)
    launch, other = house.launch(people), house.launch(people[:1])
    await _tell(house, LaunchPausedV1(items=_decided(house, launch, 1)))
    await house.rig.publish(launch, other)
    await house.until("planned", 4)
    async with open_hands(house, 1) as [(hand, mails)]:
        decided, resumed = asyncio.Event(), asyncio.Event()
        prepare = mails.prepare

        async def resumed_meanwhile(tx, items):
            decided.set()
            await resumed.wait()
            await prepare(tx, items)

        mails.prepare = resumed_meanwhile
        async with asyncio.TaskGroup() as group:
            claim = group.create_task(hand.claim(mails))
            await decided.wait()
            await _tell(house, LaunchResumedV1(items=_decided(house, launch, 2)))
            resumed.set()
        mails.prepare = prepare
        house.rig.clock.advance(timedelta(seconds=2))
        again, _ = await hand.claim(mails)

    paused = {row["id"] for row in await house.rows() if row["origin_id"] == launch.launch_id}
    assert 1 == len(claim.result()[0])
    assert paused == {item.id for item in again}
