"""Programmes as tests use them: publish one, tell what happens, see where everybody is."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.campaign import StepRequestedV1
from kantis_contracts.contacts import SegmentChange, SegmentChangedV1, SegmentMove
from kantis_kit.ids import new_id
from kantis_kit.testing.rig import Rig

_STANDING = "SELECT step, state FROM programme_run ORDER BY id"
_NEXT = "SELECT min(due_at) FROM programme_run WHERE due_at IS NOT NULL"


@dataclass
class Programmes:
    """The service, and what a marketer and the other services do to it."""

    rig: Rig
    revision: int = 0

    async def call(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """Call the API with a key of its own: those of long ago have expired."""
        async with self.rig.client() as client:
            answer = await client.request(method, path, **more)
        assert status == answer.status_code, answer.text
        is_json = answer.content and "json" in answer.headers["content-type"]
        return answer.json() if is_json else answer

    async def live(self, graph: Any, name: str = "Takk") -> str:
        """Make a programme and publish it; return its path."""
        made = await self.call("POST", "/v1/programmes", 201, json={"name": name, "graph": graph})
        path = f"/v1/programmes/{made['id']}"
        await self.call("POST", f"{path}/publish")
        return path

    async def change(self, path: str, graph: Any) -> None:
        """Publish another version."""
        body = {"name": "Takk", "graph": graph}
        await self.call("PUT", path, json=body, headers={"If-Match": "*"})
        await self.call("POST", f"{path}/publish")

    async def begin(self, path: str, *people: Any, **more: Any) -> int:
        """Begin by hand."""
        items = [{"person_id": str(one), **more} for one in people]
        done = await self.call("POST", f"{path}/runs", json={"items": items})
        await self.rig.drain()
        return int(done["started"])

    async def tell(self, event: str, person_id: Any, *, copies: int = 1, **more: Any) -> None:
        """Tell that something has happened."""
        item = {"event_id": str(new_id()), "event": event, "person_id": str(person_id), **more}
        for _ in range(copies):
            await self.call("POST", "/v1/programmes/events", json={"items": [item]})
        await self.rig.drain()

    async def segment(self, segment_id: Any, change: str, *people: Any, copies: int = 1) -> None:
        """Tell that people came into a segment, or left it."""
        self.revision += 1
        now = self.rig.clock.now()
        moves = tuple(
            SegmentMove(person_id=one, change=SegmentChange(change), at=now) for one in people
        )
        event = SegmentChangedV1(
            segment_id=segment_id, segment_name="S", version=1, revision=self.revision, members=1, items=moves
        )  # fmt: skip
        await self.rig.publish(event, copies=copies)
        await self.rig.drain()

    async def run(self, path: str, person_id: Any) -> Any:
        """Return the only run of a person, with what it did."""
        found = await self.call("GET", f"{path}/runs", params={"person_id": str(person_id)})
        (only,) = found["items"]
        return await self.call("GET", f"{path}/runs/{only['id']}")

    async def way(self, path: str, person_id: Any) -> list[str]:
        """Return the steps that a person went through, and where they are."""
        run = await self.run(path, person_id)
        return [
            *(one["step"] for one in run["visits"]),
            *([run["step"]] if not run["outcome"] else []),
        ]

    async def standing(self) -> Counter[tuple[str, str]]:
        """Count the runs by step and state."""
        rows = await (await self.rig.service.database.pool()).fetch(_STANDING)
        return Counter((row["step"], row["state"]) for row in rows)

    async def go_on(self, by: Any = None) -> Any:
        """Let time pass: so much, or until the next run is due; return the moment."""
        pool = await self.rig.service.database.pool()
        moment = self.rig.clock.now() + by if by else await pool.fetchval(_NEXT)
        if moment is not None:
            self.rig.clock.set(max(moment, self.rig.clock.now()))
            await self.rig.drain()
        return moment

    def asked(self) -> Counter[tuple[str, Any]]:
        """Count the messages that were asked for, by step and person."""
        return Counter(
            (one.asker.step, item.person_id)
            for one in self.rig.published(StepRequestedV1)
            for item in one.items
        )


@pytest.fixture
async def programmes(rig_for):
    return Programmes(await rig_for(SPEC))


@pytest.fixture
def say():
    return {"ways": [{"channel": "email", "template_id": str(new_id())}]}
