"""What the tests of places share: a place, people who are known on a site, visitors."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from kantis_contracts.contacts import (
    PermissionChangedV1,
    PermissionEntry,
    PersonChangedV1,
    SegmentChange,
    SegmentChangedV1,
    SegmentMove,
)
from kantis_contracts.values import Channel, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write
from messaging_svc.dispatch.pulled import look_over
from messaging_svc.web.evidence import VISITOR
from messaging_svc.web.sql import PAGES

PLACE = "front"


@dataclass
class Site:
    """A house that shows things on a web site."""

    house: Any

    @property
    def rig(self) -> Any:
        return self.house.rig

    async def api(self, method: str, path: str, **arguments: Any) -> Any:
        async with self.rig.client(scopes=["messaging:write", "messaging:read"]) as client:
            return await client.request(method, f"/v1/places{path}", **arguments)

    async def show(self, text: str, **more: Any) -> Any:
        """Have the place show something."""
        languages = more.pop("languages", {"nb": text})
        body = {"name": "Forside", "languages": languages} | more
        answer = await self.api("POST", f"/{PLACE}/contents", json=body)
        assert 201 == answer.status_code, answer.text
        return answer.json()

    async def know(self, *people: Any) -> None:
        await self.rig.publish(PersonChangedV1(items=people))
        await self.rig.drain()

    async def permit(self, person_id: UUID, *, state: str = "granted", version: int = 1) -> None:
        await self.rig.publish(
            PermissionChangedV1(
                items=(
                    PermissionEntry(
                        person_id=person_id, channel=Channel.WEB, purpose=Purpose.OFFERS, state=state, version=version,
                        ledger_id=new_id(), occurred_at=self.rig.clock.now(),
                    ),
                )
            )
        )  # fmt: skip
        await self.rig.drain()

    async def move(
        self, segment_id: UUID, person_id: UUID, change: SegmentChange, revision: int
    ) -> None:
        at = self.rig.clock.now()
        await self.rig.publish(
            SegmentChangedV1(
                segment_id=segment_id, version=1, revision=revision, members=1,
                items=(SegmentMove(person_id=person_id, change=change, at=at),),
            )
        )  # fmt: skip
        await self.rig.drain()

    async def prepare(self) -> None:
        """Make the pass of the gate, and wait for that of the service where it is under way."""

        async def done() -> bool:
            async with write(self.rig.service.scope, actor="test") as tx:
                await look_over(tx, PAGES, 100)
            return not any(
                row["state"] == "planned" and not row["rule"] for row in await self.house.rows()
            )

        await eventually(done, message="the gate did not look at what the launch shows")

    def token(self, person_id: UUID) -> str:
        ring = self.rig.service.settings.link_keys.get_secret_value()
        return LinkSigner.from_text(ring).make(VISITOR, person_id.bytes)

    async def visit(self, person_id: UUID | None = None, **headers: str) -> Any:
        """Look at the place, as somebody who is known and agrees, or as nobody."""
        asked = {"language": "nb"}
        if person_id is not None:
            asked |= {"who": self.token(person_id), "consent": "1"}
        return await self.get(asked, headers)

    async def get(self, asked: dict[str, str], headers: dict[str, str] | None = None) -> Any:
        async with self.rig.anonymous() as visitor:
            return await visitor.get(f"/w/places/{PLACE}", params=asked, headers=headers or {})

    async def report(self, shown: Any, kind: str, **more: Any) -> Any:
        headers = {"User-Agent": "Mozilla/5.0"} | more.pop("headers", {})
        body = {"evidence": shown["evidence"], "kind": kind} | more
        async with self.rig.anonymous() as visitor:
            return await visitor.post("/w/seen", json=body, headers=headers)


@pytest.fixture
async def site(open_house):
    house = await open_house(smtp_host="", permission_grace_seconds=0.0)
    site = Site(house)
    answer = await site.api("PUT", f"/{PLACE}", json={"name": "Forside", "default_language": "nb"})
    assert 200 == answer.status_code, answer.text
    return site
