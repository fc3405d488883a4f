"""The main job and the stories of three companies through the public API of one house: in one process, and in many."""

import asyncio

import pytest
from stories import danish, finnish, swedish

from kantis.demo.client import Api
from kantis.installation import Surroundings
from kantis.operations import create_api_key

STORIES = (danish, swedish, finnish)

pytestmark = pytest.mark.timeout(
    400
)  # against hanging: a whole house on a busy machine takes its time


def hold(told):
    """What the story must come to, whatever it ran on."""
    assert told["import"]["rows"] == 250
    assert 0 < told["import"]["rejected"] < 25
    assert told["sent"]["accepted"] == told["segment"] > 100
    assert told["web_orders"] == 24
    assert told["keyed"] == 1
    assert told["orders"] == told["invoices"] == 25
    assert told["paid"] == 20
    assert sum(cell["paid"] for cell in told["cells"]) == 20
    assert sum(cell["sent"] for cell in told["cells"]) == told["sent"]["accepted"]
    why = told["why"]
    assert why["segment"]["because"]
    assert why["permission"]["ledger_id"]


def balances(told):
    """The sums per currency of what the ledger says."""
    sums = {}
    for row in told["ledger"]["accounts"]:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["amount_minor"]
    return sums


async def play(house):
    """Play the demonstration and then the stories of three companies, side by side; each is held to what it came to."""
    told = await house.demo(250)
    await house.quiet()
    hold(told)
    assert {0} == set(balances(told).values())
    assert 1 == max(house.mails().values())
    around = Surroundings.read(house.environment)
    key = await create_api_key(around, role="administrator", name="stories")
    async with Api(house.running.url, key) as api, asyncio.TaskGroup() as group:
        playing = {story: group.create_task(story.play(house, api)) for story in STORIES}
    for story, outcome in playing.items():
        story.hold(outcome.result())


async def test_in_one_process_on_embedded_parts(open_house, tmp_path):
    async with open_house(tmp_path) as house:
        await play(house)


@pytest.mark.rabbit
async def test_in_processes_of_their_own_on_rabbitmq(open_house, tmp_path, rabbit_server):
    place = await asyncio.to_thread(rabbit_server.virtual_host)
    try:
        async with open_house(tmp_path, rabbit=place) as house:
            await play(house)
    except AssertionError as error:
        error.add_note(
            rabbit_server.ctl(
                *("list_queues", "-p", place.rpartition("/")[2]),
                *("name", "messages_ready", "messages_unacknowledged", "consumers"),
            )
        )
        raise
