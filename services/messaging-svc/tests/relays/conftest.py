"""What the tests of relays share: more mail servers, and calls that declare them."""

from contextlib import asynccontextmanager

import pytest

from kantis_kit.testing.smtp import SmtpSink
from kantis_kit.testing.waiting import eventually


class Relays:
    """Declares relays of a house, and reads how they fare."""

    def __init__(self, house):
        self.house = house

    async def call(self, method, path, expected=200, **body):
        async with self.house.rig.client() as client:
            answer = await client.request(method, path, json=body or None)
        assert expected == answer.status_code, answer.text
        return answer.json() if answer.content else None

    async def add(self, name, sink, **more):
        """Declare a relay, and wait until the sender knows of it."""
        values = {"name": name, "host": "127.0.0.1", "port": sink.port, "tls": "none"}
        added = await self.call("POST", "/v1/relays", 201, **(values | more))

        async def known():
            return (await self.list())[name]["senders"]

        await eventually(known, message=f"no sender knows of {name}")
        return added

    async def group(self, name, *patterns, **limits):
        await self.call("PUT", f"/v1/mail-domains/{name}", patterns=list(patterns), **limits)

    async def list(self):
        return {one["name"]: one for one in await self.call("GET", "/v1/relays")}

    async def until(self, name, state):
        async def there():
            one = (await self.list())[name]
            return one if one["state"] == state else None

        return await eventually(there, message=f"{name} is not {state}")

    async def send(self, *addresses):
        """Launch to these addresses; return the launch."""
        house = self.house
        people = [
            house.person(2 * n, email=address, preferred_name="Kari")
            for n, address in enumerate(addresses)
        ]
        await house.know(*people)
        launch = house.launch([one.person_id for one in people])
        await house.rig.publish(launch)
        return launch

    async def until_ruled(self, rule, count=1):
        async def found():
            rows = [row for row in await self.house.rows() if row["rule"] == rule]
            return rows if len(rows) >= count else None

        return await eventually(found, message=f"{count} were not decided by {rule}")


@pytest.fixture
async def other():
    async with SmtpSink() as server:
        yield server


@pytest.fixture
def relays_for(open_house):
    """Open a house that has a template, and no relay but those that the test declares."""

    @asynccontextmanager
    async def make(**settings):
        house = await open_house(**({"smtp_host": ""} | settings))
        await house.save_template()
        yield Relays(house)

    return make
