"""What tests of duplicates and merges share."""

import pytest


@pytest.fixture
def take_file():
    """Take in a file of people."""

    async def take(rig, text, **params):
        async with rig.client() as client:
            answer = await client.post(
                "/v1/imports",
                content=text.encode(),
                params=params,
                headers={"Content-Type": "text/csv"},
            )
            assert 202 == answer.status_code, answer.text
            await rig.drain()
            return (await client.get(f"/v1/imports/{answer.json()['id']}")).json()

    return take
