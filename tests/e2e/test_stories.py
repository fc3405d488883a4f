"""Three companies' stories at the same time through the public API of one house: on embedded parts, and on RabbitMQ."""

import asyncio

import pytest
from stories import danish, finnish, swedish

from kantis.demo.client import Api
from kantis.installation import Surroundings
from kantis.operations import create_api_key
from kantis_kit.testing.rabbit import obtain

STORIES = (danish, swedish, finnish)

pytestmark = pytest.mark.timeout(
    300
)  # against hanging: a whole house on a busy machine takes its time


async def play(house):
    """Play every story; what each comes to is held to it, whatever it ran on."""
    around = Surroundings.read(house.environment)
    key = await create_api_key(around, role="administrator", name="stories")
    async with Api(house.running.url, key) as api, asyncio.TaskGroup() as group:
        playing = {story: group.create_task(story.play(house, api)) for story in STORIES}
    for story, told in playing.items():
        story.hold(told.result())


async def test_in_one_process_on_embedded_parts(open_house, tmp_path):
    async with open_house(tmp_path) as house:
        await play(house)


@pytest.mark.rabbit
async def test_in_processes_of_their_own_on_rabbitmq(open_house, tmp_path):
    server = obtain()
    try:
        async with open_house(tmp_path, rabbit=server.url) as house:
            await play(house)
    finally:
        server.close()
