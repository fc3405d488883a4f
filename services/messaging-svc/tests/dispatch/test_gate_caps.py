"""No person gets more than the caps allow, over all campaigns, and no cap on spending is passed."""

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from kantis_contracts.contacts import PreferenceCard, PreferenceChangedV1
from kantis_contracts.messaging import MessageSettledV1
from kantis_kit.ids import new_id
from kantis_kit.testing.smtp import Fault
from kantis_kit.testing.waiting import eventually
from messaging_svc.dispatch.ledger import Outcome


async def _cap(house, kind="frequency-caps", **body):
    async with house.rig.client(scopes=["messaging:write"]) as client:
        answer = await client.post(f"/v1/sending-rules/{kind}", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _people(house, count=1):
    await house.save_template()
    people = [house.person(n) for n in range(count)]
    await house.know(*people)
    return people


async def _why(house, row):
    async with house.rig.client(scopes=["messaging:read"]) as client:
        return (await client.get(f"/v1/messages/{row['id']}/why")).json()


async def _ruled(house, rule, count=1):
    async def found():
        rows = [row for row in await house.rows() if row["rule"] == rule]
        return rows if len(rows) >= count else []

    return await eventually(found, message=f"nothing was decided by {rule}")


async def _drive(house, senders, chance, caps, launches=()):
    """Let senders claim, hand over and hear of outcomes in any order until nothing is left to do; look at every step.

    Each of the launches comes in between: what is claimed already may be less important than what comes then.
    """
    pool = await house.rig.service.database.pool()
    queued, launches = [], list(launches)
    for step in range(400):
        if launches and step % 2 == 0:
            await _planned(house, launches.pop(0))
        chosen = chance.sample(senders, chance.randint(1, len(senders)))
        claims = await asyncio.gather(*(hand.claim(mails) for hand, mails in chosen))
        for (hand, _), (items, _) in zip(chosen, claims, strict=True):
            queued += [(hand, item) for item in items]
        chance.shuffle(queued)
        # Little is handed over while more comes, then all that is claimed at once.
        count = chance.randint(0, 3) if launches else len(queued)
        now, queued = queued[:count], queued[count:]
        granted = await asyncio.gather(*(hand.hand_over(item) for hand, item in now))
        for row in await pool.fetch(
            "SELECT person_id, count(*) AS messages FROM dispatch"
            " WHERE state IN ('handed_over', 'accepted', 'in_doubt') GROUP BY person_id"
        ):
            assert row["messages"] <= caps[row["person_id"]]
        for (hand, item), is_ours in zip(now, granted, strict=True):
            if is_ours:
                state = chance.choice(["accepted", "accepted", "in_doubt", "failed"])
                hand.record(Outcome(item.id, item.fence, state))
        await asyncio.gather(*(hand.settled() for hand, _ in senders))
        if not launches and not await pool.fetchval(
            "SELECT count(*) FROM dispatch WHERE state IN ('planned', 'claimed', 'handed_over')"
        ):
            return
        house.rig.clock.advance(timedelta(seconds=1))
    raise AssertionError("the senders came to no end")


async def _planned(house, launch):
    before = len(await house.rows())
    await house.rig.publish(launch)

    async def came():
        return len(await house.rows()) == before + len(launch.items)

    await eventually(came, message="the launch was not planned")


async def test_senders_and_campaigns_at_once_never_pass_a_cap(open_house, open_hands):
    house = await open_house(smtp_host="", sender_lease_seconds=3_600)
    people = await _people(house, 12)
    await _cap(house, max_messages=2, window_hours=24)
    chance = random.Random(20)
    wish = PreferenceCard(
        person_id=people[0].person_id, version=1, per_month=1, changed_at=house.rig.clock.now()
    )
    await house.rig.publish(PreferenceChangedV1(items=(wish,)))
    launches = [
        house.launch(
            chance.sample([one.person_id for one in people], len(people)), priority=priority
        )
        for priority in (10, 20, 50, 50, 90)
    ]
    caps = {one.person_id: 2 for one in people} | {people[0].person_id: 1}

    async with open_hands(house, 3) as senders:
        await _drive(house, senders, chance, caps, launches)

    for person, cap in caps.items():
        rows = [row for row in await house.rows() if row["person_id"] == person]
        told = [row for row in rows if row["state"] in ("accepted", "in_doubt")]
        lost = [row for row in rows if row["rule"] == "frequency_cap"]
        failed = [row for row in rows if row["state"] == "failed"]
        assert 5 == len(told) + len(lost) + len(failed)
        # Nobody lost a message while there was room, and each loss names what filled the cap.
        assert len(told) == min(cap, 5 - len(failed))
        names = {str(row["id"]) for row in told}
        assert all(names >= set(_facts(row)["filled_by"]) != set() for row in lost)


def _facts(row):
    return json.loads(row["decisions"])[-1]["facts"]


async def test_spending_stops_at_the_cap_and_a_person_raises_it(open_house, open_hands):
    house = await open_house(smtp_host="")
    people = await _people(house, 10)
    first = house.launch([people[0].person_id], cost_per_piece_minor=100, currency="NOK")
    await house.rig.publish(first)
    await house.until("planned")
    async with open_hands(house, 2) as senders:
        await _claim_and_send(senders)
        # What went out before there was a cap counts in it.
        cap = await _cap(
            house, "spend-caps", channel="email", period="day", currency="NOK", limit_minor=450
        )
        assert [("2026-03-02", 100, 1)] == _spent(cap)
        await house.rig.publish(
            house.launch([one.person_id for one in people], cost_per_piece_minor=100)
        )
        await house.until("planned", 10)
        await _claim_and_send(senders)
        waiting = await _ruled(house, "waits_for_budget", 7)
        async with house.rig.client() as client:
            (shown,) = (await client.get("/v1/sending-rules/spend-caps")).json()
            house.rig.service.figures.fresh_seconds = 0
            figures = (await client.get("/metrics")).text
            assert [("2026-03-02", 400, 4)] == _spent(shown)
            assert (True, 7) == (shown["reached_at"] is not None, shown["waiting"])
            assert 'kantis_spend_caps_reached{service="messaging"} 1.0' in figures
            midnight = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)  # in Oslo
            assert {midnight} == {row["next_at"] for row in waiting}
            raised = {"limit_minor": 600, "reason": "half of the rest"}
            answer = await client.patch(f"/v1/sending-rules/spend-caps/{cap['id']}", json=raised)
            assert (200, None) == (answer.status_code, answer.json()["reached_at"])
        await _claim_and_send(senders)
        assert 6 == await _handed_over(house)
        house.rig.clock.set(midnight)
        await _claim_and_send(senders)
        assert 11 == await _handed_over(house)
    async with house.rig.client() as client:
        (shown,) = (await client.get("/v1/sending-rules/spend-caps")).json()
        assert [("2026-03-03", 500, 5), ("2026-03-02", 600, 6)] == _spent(shown)
        again = await client.post(
            "/v1/sending-rules/spend-caps",
            json={"channel": "email", "period": "day", "currency": "NOK", "limit_minor": 1},
        )
        gone = await client.patch(f"/v1/sending-rules/spend-caps/{new_id()}", json=raised)
        assert (409, 404) == (again.status_code, gone.status_code)


@pytest.mark.parametrize("comes_first", ["the cap", "the message"])
async def test_what_came_back_unsent_is_counted_once(open_house, open_hands, comes_first):
    house = await open_house(smtp_host="")
    (kari,) = await _people(house)
    cap = {"channel": "email", "period": "day", "currency": "NOK", "limit_minor": 100}
    if comes_first == "the cap":
        await _cap(house, "spend-caps", **cap)
    await house.rig.publish(
        house.launch([kari.person_id], cost_per_piece_minor=100, currency="NOK")
    )
    await house.until("planned")
    async with open_hands(house, 1) as senders:
        ((hand, mails),) = senders
        ((item,), _) = await hand.claim(mails)
        assert await hand.hand_over(item)
        hand.record(
            Outcome(item.id, item.fence, "planned", next_at=house.rig.clock.now(), is_spared=True)
        )
        await hand.settled()
        if comes_first == "the message":
            await _cap(house, "spend-caps", **cap)
        await _claim_and_send(senders)
    assert 1 == await _handed_over(house)
    async with house.rig.client() as client:
        (shown,) = (await client.get("/v1/sending-rules/spend-caps")).json()
    assert [("2026-03-02", 100, 1)] == _spent(shown)


async def test_a_cap_for_campaigns_counts_each_by_itself_and_dropping_it_lets_the_rest_go(
    open_house, open_hands
):
    house = await open_house(smtp_host="")
    people = await _people(house, 4)
    cap = await _cap(
        house, "spend-caps", channel="email", period="campaign", currency="NOK", limit_minor=200
    )
    for _ in range(2):
        await house.rig.publish(
            house.launch([one.person_id for one in people], cost_per_piece_minor=100)
        )
    await house.until("planned", 8)
    async with open_hands(house, 2) as senders:
        await _claim_and_send(senders)
        assert 4 == await _handed_over(house)
        assert [(200, 2), (200, 2)] == [
            (row["room"], row["messages"]) for row in await _by_launch(house)
        ]
        async with house.rig.client() as client:
            answer = await client.delete(f"/v1/sending-rules/spend-caps/{cap['id']}")
            assert 204 == answer.status_code
        await _claim_and_send(senders)
        assert 8 == await _handed_over(house)


def _spent(cap):
    return [(one["scope"], one["spent_minor"], one["pieces"]) for one in cap["spent"]]


async def _by_launch(house):
    pool = await house.rig.service.database.pool()
    return await pool.fetch(
        "SELECT sum(cost_minor)::int AS room, count(*)::int AS messages FROM dispatch"
        " WHERE state = 'accepted' GROUP BY origin_id"
    )


async def _handed_over(house):
    return len([row for row in await house.rows() if row["state"] == "accepted"])


async def _claim_and_send(senders):
    """Let every sender claim, all hand over at once and hear that it was accepted, until there is nothing to claim."""
    decided = 1
    while decided:
        decided, asked = 0, []
        for hand, mails in senders:
            items, count = await hand.claim(mails)
            decided += count
            asked += [(hand, item) for item in items]
        granted = await asyncio.gather(*(hand.hand_over(item) for hand, item in asked))
        for (hand, item), is_ours in zip(asked, granted, strict=True):
            if is_ours:
                hand.record(Outcome(item.id, item.fence, "accepted"))
        await asyncio.gather(*(hand.settled() for hand, _ in senders))


async def test_what_passes_the_cap_is_recorded_with_what_filled_it(house):
    (kari,) = await _people(house)
    await _cap(house, channel="email", max_messages=2, window_hours=168)
    sent = []
    for number in (1, 2):
        await house.rig.publish(house.launch([kari.person_id]))
        sent = [str(row["id"]) for row in await house.until_ended(number)]

    await house.rig.publish(house.launch([kari.person_id]))
    lost = [row for row in await house.until_ended(3) if row["state"] == "suppressed"]
    why = await _why(house, lost[0])
    await house.rig.drain()

    assert ["frequency_cap"] == [row["rule"] for row in lost]
    assert 2 == len(house.sink.messages)
    (decision,) = why["gate"]["decisions"]
    assert sorted(sent) == sorted(decision["facts"]["filled_by"])
    assert ("company", 2) == (
        decision["facts"]["cap"]["whose"], decision["facts"]["cap"]["max_messages"],
    )  # fmt: skip
    assert sorted(sent) == sorted(why["gate"]["caps"][0]["filled_by"])
    assert "frequency_cap" in [item.reason for item in house.rig.items(MessageSettledV1)]
    house.rig.clock.advance(timedelta(days=8))
    await house.rig.publish(house.launch([kari.person_id]))
    await house.until_ended(4)
    assert 3 == len(house.sink.messages)


async def test_the_wished_frequency_of_a_person_is_a_cap_of_their_own(house):
    kari, ola = await _people(house, 2)
    wish = PreferenceCard(
        person_id=kari.person_id, version=1, per_month=1, changed_at=house.rig.clock.now()
    )
    await house.rig.publish(PreferenceChangedV1(items=(wish,)))
    await house.rig.drain()

    for number in (1, 2):
        await house.rig.publish(house.launch([kari.person_id, ola.person_id]))
        await house.until_ended(2 * number)

    states = [(row["person_id"], row["rule"]) for row in await house.rows()]
    assert 1 == states.count((kari.person_id, "frequency_cap"))
    assert 2 == states.count((ola.person_id, "allowed"))


async def test_of_two_campaigns_the_one_of_higher_priority_is_told(open_house, open_hands):
    house = await open_house(smtp_host="")
    (kari,) = await _people(house)
    await _cap(house, max_messages=1, window_hours=24)
    low, high = (house.launch([kari.person_id], priority=priority) for priority in (10, 90))
    await house.rig.publish(low)
    await house.until("planned")
    await house.rig.publish(high)
    await house.until("planned", 2)

    async with open_hands(house, 1) as senders:
        await _drive(house, senders, random.Random(1), {kari.person_id: 1})

    rules = {row["origin_id"]: row["rule"] for row in await house.rows()}
    assert {low.launch_id: "frequency_cap", high.launch_id: "allowed"} == rules


async def test_what_failed_fills_no_cap(house):
    (kari,) = await _people(house)
    await _cap(house, max_messages=1, window_hours=24)
    house.sink.faults.set("*", Fault(dot="554 5.7.1 no", times=1))

    for number in (1, 2):
        await house.rig.publish(house.launch([kari.person_id]))
        await house.until_ended(number)

    assert ["refused", "allowed"] == [row["rule"] for row in await house.rows()]


async def test_what_a_person_was_sent_before_there_was_a_cap_counts(house):
    (kari,) = await _people(house)
    await house.rig.publish(house.launch([kari.person_id]))
    await house.until_ended(1)
    cap = await _cap(house, max_messages=1, window_hours=24)

    await house.rig.publish(house.launch([kari.person_id]))
    assert "frequency_cap" == (await house.until_ended(2))[-1]["rule"]

    async with house.rig.client() as client:
        again = await client.post(
            "/v1/sending-rules/frequency-caps", json={"max_messages": 9, "window_hours": 24}
        )
        nonsense = await client.post(
            "/v1/sending-rules/frequency-caps", json={"max_messages": 0, "window_hours": 1}
        )
        dropped = await client.delete(f"/v1/sending-rules/frequency-caps/{cap['id']}")
        gone = await client.delete(f"/v1/sending-rules/frequency-caps/{cap['id']}")
        left = (await client.get("/v1/sending-rules/frequency-caps")).json()
    assert (409, 422, 204, 404, []) == (
        again.status_code, nonsense.status_code, dropped.status_code, gone.status_code, left,
    )  # fmt: skip
    await house.rig.publish(house.launch([kari.person_id]))
    assert "accepted" == (await house.until_ended(3))[-1]["state"]
