"""A house for each story, on both brokers."""

import asyncio

import pytest

pytest.register_assert_rewrite("stories")  # what a story comes to is told in full

from stories.house import open_house  # noqa: E402

from kantis_kit.testing.rabbit import rabbit_server  # noqa: E402

__all__ = ["rabbit_server"]


GUARD = pytest.mark.timeout(600)  # against hanging: a whole house on a busy machine takes its time
BROKERS = [
    pytest.param("embedded", marks=GUARD),
    # A minute or two each, on a broker that starts with the house.
    pytest.param("rabbitmq", marks=[GUARD, pytest.mark.rabbit, pytest.mark.slow]),
]


@pytest.fixture(params=BROKERS)
async def house(request, rig_for):
    """The whole house with a clock that the story moves."""
    place = ""
    if request.param == "rabbitmq":
        server = request.getfixturevalue("rabbit_server")
        place = await asyncio.to_thread(server.virtual_host)
    async with open_house(rig_for, rabbit=place) as opened:
        yield opened
