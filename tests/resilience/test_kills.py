"""Any one process may be killed at any moment of the main job: no lead, order or mail is lost, nobody is mailed twice."""

import asyncio
import random
from collections import Counter

import httpx
import pytest

from kantis_kit.testing.oracle import ClientOracle
from kantis_kit.testing.waiting import eventually, pause

SEED = 20_260_302
SENDER_CONCURRENCY = 8
LEADS = 20


async def kill_until(house, done, *, seed, kills, postgres):
    """Kill one process after the other at random moments until the job is done, at most so many times.

    The next one dies when the house has recovered from the last: how quickly that is depends on the machine.
    """
    rng = random.Random(seed)
    for _ in range(kills):
        try:
            async with asyncio.timeout(rng.uniform(0.2, 2.0)):
                await asyncio.shield(done)
        except TimeoutError:
            await house.kill_one(rng, postgres=postgres)
            await eventually(house.is_ready, message="the house did not recover", within=120)
        else:
            return


async def post_leads(house, folder):
    """Post leads, each until it is answered with success; note what was acknowledged."""
    oracle = ClientOracle(folder / "leads.jsonl")
    url = house.running.url
    async with httpx.AsyncClient(base_url=url, timeout=10) as client:
        await eventually(house.has_form, message="the form was not made", within=90)
        for number in range(LEADS):
            address = f"lead.{number}@eksempel.test"
            body = {
                "email": address,
                "full_name": f"Lead {number}",
                "consent": True,
                "consent_version": "2026-1",
                "language": "nb",
            }
            await oracle.intent(address)
            while True:
                try:
                    answer = await client.post(
                        "/f/friluft",
                        json=body,
                        headers={"Idempotency-Key": f"lead-{number}", "User-Agent": "Firefox"},
                    )
                except httpx.TransportError:
                    await pause(0.1)
                    continue
                if answer.is_success:
                    await oracle.ack(address)
                    break
                assert answer.status_code in (429, 502, 503, 504), answer.text
                await pause(0.3)
    return oracle


async def check(house, told, oracle):
    """Hold what is stored against what was acknowledged."""
    await house.quiet()
    mails = house.mails()

    twice = {key: count for key, count in mails.items() if count > 1}
    marketing = await house.fetch(
        "messaging", "SELECT state, rfc_message_id AS message_id FROM dispatch WHERE is_marketing"
    )
    ids = {row["message_id"].strip("<>") for row in marketing}
    assert {} == {key: n for key, n in twice.items() if key[1].strip("<>") in ids}, (
        f"seed {SEED}, killed {house.killed}"
    )

    states = Counter(row["state"] for row in marketing)
    in_doubt = states.get("in_doubt", 0)
    assert in_doubt <= len(house.killed) * SENDER_CONCURRENCY, states
    assert {"accepted", "in_doubt"} >= set(states), states
    sent = sum(1 for (_, message_id) in mails if message_id.strip("<>") in ids)
    assert states["accepted"] <= sent <= states["accepted"] + in_doubt, (states, sent)

    assert told["orders"] == told["web_orders"] + told["keyed"]
    assert told["invoices"] == told["orders"]
    orders = await house.fetch("orders", "SELECT count(*) AS n FROM sales_order")
    assert told["orders"] == orders[0]["n"]

    async def delivered():
        return not await house.fetch("gateway", "SELECT 1 FROM spool WHERE state = 'waiting'")

    await eventually(delivered, message="leads wait in the spool", within=60)
    await house.quiet()
    people = {
        row["value"]
        for row in await house.fetch(
            "contacts", "SELECT value FROM identifier WHERE value LIKE 'lead.%'"
        )
    }
    oracle.reconcile(people).check()
    assert [] == await house.fetch("contacts", "SELECT 1 FROM delivery WHERE state = 'parked'")


async def play(house, folder, *, people, kills, postgres):
    """Play the demonstration while leads come in and processes die."""
    playing = asyncio.ensure_future(house.demo(people))
    leads = asyncio.ensure_future(post_leads(house, folder))
    both = asyncio.gather(playing, leads)
    await kill_until(house, both, seed=SEED, kills=kills, postgres=postgres)
    told, oracle = await both
    await check(house, told, oracle)


@pytest.mark.timeout(600)
async def test_killing_processes_at_random_loses_nothing_and_mails_nobody_twice(
    open_house, tmp_path
):
    async with open_house(tmp_path, "--processes") as house:
        await play(house, tmp_path, people=100, kills=3, postgres=True)

        assert house.killed


@pytest.mark.rabbit
@pytest.mark.timeout(600)
async def test_the_same_on_rabbitmq(open_house, tmp_path, rabbit_server):
    place = await asyncio.to_thread(rabbit_server.virtual_host)
    async with open_house(tmp_path, rabbit=place) as house:
        await play(house, tmp_path, people=100, kills=3, postgres=False)

        assert house.killed


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_killing_processes_and_the_database_on_the_embedded_broker(open_house, tmp_path):
    async with open_house(tmp_path, "--processes") as house:
        await play(house, tmp_path, people=1_500, kills=25, postgres=True)

        assert house.killed


@pytest.mark.slow
@pytest.mark.rabbit
@pytest.mark.timeout(900)
async def test_killing_processes_and_the_database_on_rabbitmq(open_house, tmp_path, rabbit_server):
    place = await asyncio.to_thread(rabbit_server.virtual_host)
    async with open_house(tmp_path, "--processes", rabbit=place) as house:
        await play(house, tmp_path, people=1_500, kills=25, postgres=True)

        assert house.killed


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_killing_the_whole_house_in_one_process_and_starting_it_again(open_house, tmp_path):
    async with open_house(tmp_path) as house:
        playing = asyncio.ensure_future(house.demo(600))
        await eventually(house.has_form, message="the demonstration did not begin", within=90)
        rng = random.Random(SEED)
        for _ in range(4):
            try:
                async with asyncio.timeout(rng.uniform(2, 6)):
                    await asyncio.shield(playing)
                break
            except TimeoutError:
                house.process.kill()
                await house.process.wait()
                house.killed.append("kantis up")
                await house.start()
        told = await playing
        oracle = ClientOracle(tmp_path / "none.jsonl")
        await check(house, told, oracle)
