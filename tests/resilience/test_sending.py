"""A campaign is sent while its sender dies, sleeps, is started many times, or is paused: once to everybody."""

import os
import random
import signal

import pytest
from mail_house import CONCURRENCY, tell

from kantis_kit.testing.smtp import Fault
from kantis_kit.testing.waiting import eventually

SEED = 20_261_123


async def kill_while_sending(house, *, total, kills):
    """Kill the only sender at random moments; then settle what is in doubt by the log of the mail server."""
    rng = random.Random(SEED)
    people = await house.people(total)
    sender = await house.hire()
    await house.rig.publish(*house.launch(people))

    await house.kill_now_and_then(sender, kills, total, rng)
    await house.until_ended(total)
    in_doubt = await house.check_ledger(kills * CONCURRENCY)
    settled = await house.settle_by_log()
    await house.until_ended(total)

    assert kills == house.deaths
    assert in_doubt == settled["sent"] + settled["not_sent"]
    assert {"accepted": total} == await house.states()
    assert total == len(house.sink.messages)
    house.check_once()
    await house.check_told(total)
    tell(f"kills {kills}, recipients {total}, in doubt {in_doubt}: {settled}, twice 0")


async def stand_still(house, sender):
    """Stop a process where it is, but not within a transaction: the database itself ends that one after a minute."""

    async def stopped():
        os.kill(sender.pid, signal.SIGSTOP)
        busy = await house.ask(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state IN ('active', 'idle in transaction')"
        )
        if busy:
            os.kill(sender.pid, signal.SIGCONT)
        return not busy

    await eventually(stopped, message="the sender is always within a transaction")


async def sleep_through_the_lease(house, *, total, rounds):
    """Let a sender stand still while another takes over, and wake up: nothing is sent on a claim that has run out.

    What it had not begun it gives back, and that is decided on anew; the rest of what it held stays in doubt.
    """
    people = await house.people(total)
    extra = await house.people(rounds)
    size = total // rounds
    late = 0
    for turn in range(rounds):
        part = people[turn * size : (turn + 1) * size]
        done = turn * (size + 1)
        house.sink.faults.set("*", Fault(delay_at="data", delay_seconds=0.1))
        sleeper = await house.hire()
        await house.rig.publish(*house.launch(part))
        await house.until_delivered(len(house.sink.messages) + 3)
        await stand_still(house, sleeper)
        other = await house.hire()
        await house.until_ended(done + size)
        await other.close()
        seen = len(house.sink.messages)
        before = await house.ask("SELECT id, state, fence FROM dispatch")

        os.kill(sleeper.pid, signal.SIGCONT)
        await house.rig.publish(*house.launch([extra[turn]]))
        await house.until_ended(done + size + 1)
        await sleeper.close()
        sent = {one["dispatch_key"] for one in house.sink.messages[seen:]}
        again = [row for row in before if str(row["id"]) in sent]
        now = {row["id"]: row["fence"] for row in await house.ask("SELECT id, fence FROM dispatch")}
        assert len(sent) == len(again) + 1
        assert {"in_doubt"} >= {row["state"] for row in again}
        assert all(now[row["id"]] > row["fence"] for row in again)
        late += len(again)

    in_doubt = await house.check_ledger(in_doubt_at_most=rounds * CONCURRENCY)
    tell(
        f"sleeps {rounds}, recipients {total}, decided on anew after waking {late}, in doubt {in_doubt}, twice 0"
    )


@pytest.mark.timeout(300)
async def test_killing_the_sender_mails_nobody_twice_and_what_is_in_doubt_is_listed_and_settled(
    open_mail_house,
):
    async with open_mail_house() as house:
        await kill_while_sending(house, total=150, kills=3)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_thirty_kills_in_five_thousand_recipients(open_mail_house):
    async with open_mail_house() as house:
        await kill_while_sending(house, total=5_000, kills=30)


@pytest.mark.slow
@pytest.mark.rabbit
@pytest.mark.timeout(900)
async def test_thirty_kills_in_five_thousand_recipients_on_rabbitmq(
    open_mail_house, rabbit_to_break
):
    async with open_mail_house(rabbit=rabbit_to_break) as house:
        await kill_while_sending(house, total=5_000, kills=30)


@pytest.mark.timeout(300)
async def test_a_sender_that_slept_for_longer_than_its_lease_sends_nothing_of_what_it_held(
    open_mail_house,
):
    async with open_mail_house() as house:
        await sleep_through_the_lease(house, total=20, rounds=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_of_twelve_sleepers_none_sends_what_another_has_taken_over(open_mail_house):
    async with open_mail_house() as house:
        await sleep_through_the_lease(house, total=1_200, rounds=12)


@pytest.mark.slow
@pytest.mark.rabbit
@pytest.mark.timeout(900)
async def test_of_twelve_sleepers_none_sends_what_another_has_taken_over_on_rabbitmq(
    open_mail_house, rabbit_to_break
):
    async with open_mail_house(rabbit=rabbit_to_break) as house:
        await sleep_through_the_lease(house, total=1_200, rounds=12)
