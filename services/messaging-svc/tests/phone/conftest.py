"""What the tests of calls share: people with numbers, a template with a script, callers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from kantis_contracts.contacts import PermissionChangedV1, PermissionEntry, PersonChangedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write
from messaging_svc.dispatch.pulled import look_over
from messaging_svc.dispatch.sql import RECOVER
from messaging_svc.phone.sql import CALLS

SCRIPT = """{{ greeting() }}! Vi har {{ offer_name }} til {{ offer_price }}.
Koden er {{ response_code }}."""
TEXTS = {"nb": {"subject": "Lampe", "script": SCRIPT}}
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
"""A Tuesday, when people may be called everywhere in the north."""


@dataclass
class Room:
    """A house in which people are called."""

    house: Any

    @property
    def clock(self) -> Any:
        return self.house.rig.clock

    def person(self, n: int, **changes: Any) -> Any:
        given = {"phone": f"+4740000{n:03d}", "email": None, "time_zone": "Europe/Oslo"}
        return self.house.person(n, **(given | changes))

    async def launch(self, people: list[Any], *, permit: bool = True, **changes: Any) -> Any:
        await self.house.rig.publish(PersonChangedV1(items=people))
        if permit:
            await self.permit([one.person_id for one in people])
        event = self.house.launch(
            [one.person_id for one in people], channel=Channel.PHONE, **changes
        )
        await self.house.rig.publish(event)
        await self.house.rig.drain()
        return event

    async def permit(self, people: list[UUID], *, state: str = "granted", version: int = 1) -> None:
        await self.house.rig.publish(
            PermissionChangedV1(
                items=tuple(
                    PermissionEntry(
                        person_id=person,
                        channel=Channel.PHONE,
                        purpose=Purpose.OFFERS,
                        state=state,
                        version=version,
                        ledger_id=new_id(),
                        occurred_at=self.clock.now(),
                    )
                    for person in people
                )
            )
        )
        await self.house.rig.drain()

    async def look_over(self) -> None:
        """Make the pass that the service makes every few seconds, and wait for its own where that is under way."""

        async def done() -> bool:
            async with write(self.house.rig.service.scope, actor="test") as tx:
                await look_over(tx, CALLS, 500)
            now = self.clock.now()
            return not any(
                row["state"] == "planned" and row["rule"] != "ready" and row["next_at"] <= now
                for row in await self.house.rows()
            )

        await eventually(done, message="the gate did not look at every call")

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        scopes = ["messaging:write", "messaging:read"]
        async with self.house.rig.client(scopes=scopes) as client:
            return await client.request(method, f"/v1/calls/{path}", **arguments)

    async def next(self, caller: str = "Anne", **body: Any) -> Any:
        answer = await self.call("POST", "next", json={"caller": caller} | body)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    async def take(self, caller: str = "Anne", **body: Any) -> Any:
        """Take the next call; while the pass decides on it, nobody gets it."""

        async def there() -> Any:
            return (await self.next(caller, **body))["call"]

        return await eventually(there, message="there was nobody to call")

    async def recovered(self, caller: str) -> Any:
        """Take a call whose lease has run out."""
        async with write(self.house.rig.service.scope, actor="test") as tx:
            await tx.execute(RECOVER, {"now": self.clock.now()})
        return (await self.next(caller))["call"]

    async def end(self, call: Any, outcome: str, **body: Any) -> Any:
        return await self.call("POST", f"{call['id']}/outcome", json={"outcome": outcome} | body)

    async def row(self, person: Any) -> Any:
        rows = [row for row in await self.house.rows() if row["person_id"] == person.person_id]
        return rows[0]


@pytest.fixture
async def room(open_house):
    house = await open_house(smtp_host="", permission_grace_seconds=0.0)
    house.rig.clock.set(NOON)
    await house.save_template(TEXTS)
    return Room(house)


@pytest.fixture
async def shared_call(room):
    """A room in which a call has been taken."""
    await room.launch([room.person(0)])
    return room, await room.take()
