"""What the tests of letters share: people with homes, a template with a letter, and eyes that read a page's codes."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from kantis_contracts.contacts import PermissionChangedV1, PermissionEntry, PersonChangedV1
from kantis_contracts.values import Channel, PostalAddress, Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.printed import Printed
from kantis_kit.testing.waiting import eventually

LETTER = """{{ greeting() }},

Vi har en **{{ offer_name }}** til deg for {{ offer_price }}.

- Svar på {{ response_url }}
- eller skriv koden {{ response_code }} til oss
"""
TEXTS = {"nb": {"subject": "En lampe til {{ preferred_name|default('deg') }}", "letter": LETTER}}
SETTINGS = {
    "smtp_host": "",
    "letter_return_address": "Storgata 1, 0155 Oslo",
    "letter_track_agreement": "1234",
    "permission_grace_seconds": 0.0,
}


class Letters(Printed):
    """Letters on a table, as somebody sees them who holds them in their hands."""

    def answer_codes(self, page: int) -> set[str]:
        """Return what a reader finds beside the window of a Norwegian envelope."""
        return self.codes(page, 133, 26, 57, 46, ppi=127)

    def return_mark(self, page: int) -> set[str]:
        """Return what a reader finds in that window, above the address."""
        return self.codes(page, 18, 45, 60, 10, ppi=200)


@pytest.fixture
def printed(tmp_path):
    return lambda pdf: Letters(tmp_path, pdf)


@dataclass
class Desk:
    """A house that sends letters."""

    house: Any

    async def settle(self, *people: Any, permit: bool = True) -> None:
        """Make people known who live somewhere."""
        await self.house.rig.publish(PersonChangedV1(items=people))
        if permit:
            await self.permit([one.person_id for one in people])
        await self.house.rig.drain()

    async def permit(self, people: list[UUID], *, state: str = "granted", version: int = 1) -> None:
        await self.house.rig.publish(
            PermissionChangedV1(
                items=tuple(
                    PermissionEntry(
                        person_id=person,
                        channel=Channel.LETTER,
                        purpose=Purpose.OFFERS,
                        state=state,
                        version=version,
                        ledger_id=new_id(),
                        occurred_at=self.house.rig.clock.now(),
                    )
                    for person in people
                )
            )
        )

    def person(self, n: int, **changes: Any) -> Any:
        address = PostalAddress(
            street=f"Storgata {n}", postal_code=f"{9000 - n:04d}", city="OSLO", country="NO"
        )
        return self.house.person(n, **({"address": address} | changes))

    async def launch(self, people: list[Any], **changes: Any) -> Any:
        event = self.house.launch(
            [one.person_id for one in people], channel=Channel.LETTER, **changes
        )
        await self.house.rig.publish(event)
        await self.house.rig.drain()
        return event

    async def batch(self, state: str = "ready", **body: Any) -> Any:
        async with self.house.rig.client(scopes=["messaging:write"]) as client:
            made = await client.post("/v1/letters/batches", json={"country": "NO"} | body)
            assert 202 == made.status_code, made.text
            return await self.until(made.json()["id"], state)

    async def until(self, batch_id: str, state: str) -> Any:
        async with self.house.rig.client(scopes=["messaging:read"]) as client:

            async def there() -> Any:
                found = (await client.get(f"/v1/letters/batches/{batch_id}")).json()
                return found if found["state"] == state else None

            return await eventually(there, message=f"the batch did not become {state}")

    async def call(self, method: str, path: str, **arguments: Any) -> Any:
        scopes = ["messaging:write", "messaging:read"]
        async with self.house.rig.client(scopes=scopes) as client:
            return await client.request(
                method, f"/v1/letters/batches/{path}".rstrip("/"), **arguments
            )


@pytest.fixture
async def desk(open_house):
    house = await open_house(**SETTINGS)
    await house.save_template(TEXTS)
    return Desk(house)
