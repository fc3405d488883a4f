"""A campaign is started many times at once, and paused and resumed while it is sent: everybody gets it, and once."""

import random
from collections import Counter

import pytest
from campaign_house import campaign_house
from mail_house import CONCURRENCY, tell

from kantis_kit.testing.smtp import Fault
from kantis_kit.testing.waiting import eventually

SEED = 20_261_124


def once(house, total):
    """Everybody was mailed, and once."""
    mailed = Counter(one["rcpt"] for one in house.sink.messages)
    assert (total, {1}) == (len(mailed), set(mailed.values()))


async def start_many_times(house, total):
    """Press ten times at once, with two schedulers and two senders at work."""
    segment = await house.people(total)
    path = await house.plan(segment)
    for name in ("campaign", "messaging"):
        await house.start(name)

    answers = await house.launch(path, times=10)
    shown = await house.until_finished(path)

    assert [200] * 9 + [202] == sorted(answer.status_code for answer in answers)
    assert 1 == len({answer.json()["id"] for answer in answers})
    assert {"accepted": total} == {state: n for state, n in shown["by_state"].items() if n}
    assert total == shown["total"] == shown["pieces"]
    launches = await house.ask("SELECT DISTINCT origin_id FROM dispatch WHERE origin = 'campaign'")
    assert 1 == len(launches)
    once(house, total)
    tell(f"pressed 10 times, launches 1, recipients {total}, twice 0")


async def pause_at_random(house, *, total, pauses):
    """Pause and resume while it is sent; restart the sender with other settings in between."""
    rng = random.Random(SEED)
    segment = await house.people(total)
    path = await house.plan(segment)
    house.sink.faults.set("*", Fault(delay_at="data", delay_seconds=0.2))
    await house.rig.services["messaging"].stop()
    sender = await house.start("messaging")
    await house.launch(path)
    most = 0
    for turn in range(pauses):
        done = len(house.sink.messages)
        goal = done + rng.randrange(1, max(2, (total - done) // (pauses - turn + 1)))

        async def far_enough(goal=goal):
            return len(house.sink.messages) >= goal

        await eventually(far_enough, message="the sending stands still", within=600)
        await house.decide(path, "pause")

        async def known():
            return await house.ask("SELECT FROM launch_hold WHERE state = 'paused'")

        await eventually(known, message="the pause is not known where mails are sent", within=600)
        since = house.sink.clock.now().isoformat()

        async def at_rest():
            return not await house.ask("SELECT FROM dispatch WHERE state = 'handed_over'")

        await eventually(at_rest, message="what was handed over did not end", within=600)
        still = len(house.sink.messages)
        begun = sum(one["t_data_start"] > since for one in house.sink.messages)
        most = max(most, begun)
        waiting = await house.ask("SELECT FROM dispatch WHERE state IN ('planned', 'claimed')")
        shown = await house.progress(path)
        assert waiting
        assert "finished" != shown["state"]
        if turn % 5 == 4 or turn == pauses - 1:
            await house.end(sender)
            changes = {"sender_concurrency": rng.randrange(2, 5), "sender_batch": rng.randrange(20, 200)}  # fmt: skip
            sender = await house.start("messaging", **changes)
        assert still == len(house.sink.messages), "something was sent during the pause"
        await house.decide(path, "resume")
    house.sink.faults.clear()
    shown = await house.until_finished(path)

    assert {"accepted": total} == {state: n for state, n in shown["by_state"].items() if n}
    once(house, total)
    tell(f"pauses {pauses}, recipients {total}, begun after a pause at most {most}, twice 0")
    return most


@pytest.mark.timeout(300)
async def test_ten_who_start_a_campaign_at_once_with_two_senders_send_it_once(rig_for):
    async with campaign_house(rig_for) as house:
        await start_many_times(house, 30)


@pytest.mark.timeout(300)
async def test_a_campaign_that_is_paused_and_resumed_reaches_everybody_once(rig_for):
    async with campaign_house(rig_for) as house:
        await pause_at_random(house, total=24, pauses=2)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_ten_who_start_a_campaign_of_five_thousand(rig_for):
    async with campaign_house(rig_for) as house:
        await start_many_times(house, 5_000)


@pytest.mark.slow
@pytest.mark.rabbit
@pytest.mark.timeout(900)
async def test_ten_who_start_a_campaign_of_five_thousand_on_rabbitmq(rig_for, rabbit_to_break):
    async with campaign_house(rig_for, rabbit=rabbit_to_break) as house:
        await start_many_times(house, 5_000)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_fifty_pauses_of_one_campaign(rig_for):
    async with campaign_house(rig_for) as house:
        assert await pause_at_random(house, total=1_000, pauses=50) <= CONCURRENCY


@pytest.mark.slow
@pytest.mark.rabbit
@pytest.mark.timeout(900)
async def test_fifty_pauses_of_one_campaign_on_rabbitmq(rig_for, rabbit_to_break):
    async with campaign_house(rig_for, rabbit=rabbit_to_break) as house:
        assert await pause_at_random(house, total=1_000, pauses=50) <= CONCURRENCY
