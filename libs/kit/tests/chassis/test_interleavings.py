"""Transactions that commit in another order than they wrote, with a relay between any two of their steps.

Numbers of the outbox are given when a row is written, and rows are seen when their transaction commits: whoever reads on
from the highest number seen skips what commits late. Schedules of such transactions are drawn, each from its seed and its
number alone: `KANTIS_TEST_SEED=… KANTIS_TEST_FIRST=…` plays from one of them on.
"""

import asyncio
import os
import random
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from sqlalchemy import text

from kantis_kit.ids import new_id
from kantis_kit.relay import Relay
from kantis_kit.signing import Keys
from kantis_kit.testing.probe import SPEC, Made, ThingMadeV1
from kantis_kit.tx import write

SEED = os.environ.get("KANTIS_TEST_SEED", "20261123")
FIRST = int(os.environ.get("KANTIS_TEST_FIRST", "0"))
RAISE = text("UPDATE thing SET version = version + 1 WHERE id = :id RETURNING version")
Told = tuple[UUID, int, int]
"""An event: whose it is, the version it tells of, which of the transaction's events it is."""


class Undone(Exception):
    """A transaction that takes back what it wrote."""


class SlowBroker:
    """Stores what is published when it is told to."""

    def __init__(self) -> None:
        self.stored: list[Told] = []
        self.asked = asyncio.Event()
        self.may_store = asyncio.Event()

    async def publish(self, envelopes):
        self.asked.set()
        await self.may_store.wait()
        for envelope in envelopes:
            (made,) = ThingMadeV1.model_validate_json(envelope.data).items
            version, _, place = made.name.partition(".")
            self.stored.append((made.id, int(version), int(place)))
        return [None] * len(envelopes)


@dataclass
class Change:
    """A transaction that changes one thing and tells of it, in one event or in several."""

    thing: UUID
    events: int
    is_undone: bool
    told: list[Told] = field(default_factory=list)
    has_written: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def run(self, scope) -> None:
        async with write(scope) as tx:
            version = await tx.scalar(RAISE, {"id": self.thing})
            for place in range(self.events):
                tx.stage(ThingMadeV1(items=(Made(id=self.thing, name=f"{version}.{place}"),)))
                self.told.append((self.thing, version, place))
            await tx.seal()
            self.has_written.set()
            await self.may_end.wait()
            if self.is_undone:
                raise Undone


class Stage:
    """Plays one schedule after the other on one outbox."""

    def __init__(self, rig, things: list[UUID]) -> None:
        self.scope = rig.service.scope
        self.broker = SlowBroker()
        self.relay = Relay(
            self.scope, self.broker, Keys.load(rig.keys_dir, "probe"), service="probe"
        )
        self.things = things
        self.carrying: asyncio.Task[int] | None = None
        self.open: list[Change] = []
        self.waiting: dict[UUID, Change] = {}
        self.written: list[Told] = []
        self.committed: list[Told] = []
        self.steps: list[str] = []

    async def play(self, rng: random.Random) -> None:
        """Play a schedule to its end: everything has committed or was undone, and everything was carried."""
        to_come = [
            Change(rng.choice(self.things), rng.choice((1, 1, 2)), rng.random() < 0.15)
            for _ in range(rng.randint(2, 4))
        ]
        while to_come or self.open or self.carrying:
            step = rng.choice(
                ["begin"] * 2 * self._may_begin(to_come)
                + ["end"] * len(self._may_end())
                + ["claim"] * (self.carrying is None)
                + ["store"] * (self.carrying is not None)
            )
            if step == "begin":
                await self._begin(to_come.pop())
            elif step == "end":
                await self._end(rng.choice(self._may_end()))
            elif step == "claim":
                await self._claim()
            else:
                await self._store()
        await self._claim()
        if self.carrying:
            await self._store()

    def _may_begin(self, to_come: list[Change]) -> bool:
        # Of two that wait for one thing nobody says who is first.
        return bool(to_come) and to_come[-1].thing not in self.waiting

    def _may_end(self) -> list[Change]:
        return [one for one in self.open if one not in self.waiting.values()]

    async def _begin(self, change: Change) -> None:
        self.steps.append(f"begin {self.things.index(change.thing)}")
        is_held = any(one.thing == change.thing for one in self.open)
        self.open.append(change)
        change.task = asyncio.ensure_future(change.run(self.scope))
        if is_held:
            self.waiting[change.thing] = change
        else:
            await self._written(change)

    async def _written(self, change: Change) -> None:
        assert change.task is not None
        writing = asyncio.ensure_future(change.has_written.wait())
        await asyncio.wait((writing, change.task), return_when=asyncio.FIRST_COMPLETED)
        if not writing.done():
            writing.cancel()
            await change.task  # it failed, and says how
        self.written += change.told

    async def _end(self, change: Change) -> None:
        self.steps.append(f"{'undo' if change.is_undone else 'commit'} {change.told}")
        assert change.task is not None
        change.may_end.set()
        try:
            await change.task
            self.committed += change.told
        except Undone:
            assert change.is_undone
        self.open.remove(change)
        follower = self.waiting.pop(change.thing, None)
        if follower:
            await self._written(follower)

    async def _claim(self) -> None:
        self.steps.append("claim")
        self.broker.asked.clear()
        self.broker.may_store.clear()
        carrying = asyncio.ensure_future(self.relay.step())
        asked = asyncio.ensure_future(self.broker.asked.wait())
        await asyncio.wait((asked, carrying), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if carrying.done():
            assert 0 == carrying.result()
        else:
            self.carrying = carrying

    async def _store(self) -> None:
        self.steps.append("store")
        assert self.carrying is not None
        self.broker.may_store.set()
        await self.carrying
        self.carrying = None

    def check(self) -> int:
        """Hold what was carried against what has committed; return how many events overtook one that was written before.

        What was played is forgotten then.
        """
        stored = self.broker.stored
        assert sorted(self.committed) == sorted(stored), "an event was skipped, doubled or made up"
        for thing in self.things:
            mine = [told for told in stored if told[0] == thing]
            assert sorted(mine) == mine, "events of one thing changed places"
        numbers = [self.written.index(told) for told in stored]
        late = sum(number < max(numbers[:place], default=0) for place, number in enumerate(numbers))
        for played in (stored, self.committed, self.written, self.steps):
            played.clear()
        return late


async def play_many(rig, count: int) -> int:
    """Play so many schedules; return how many events were carried after one that was written later."""
    print(f"KANTIS_TEST_SEED={SEED} KANTIS_TEST_FIRST={FIRST}: {count} schedules")  # noqa: T201 - repeats them
    things = [new_id() for _ in range(2)]
    async with write(rig.service.scope) as tx:
        for thing in things:
            await tx.execute(
                text("INSERT INTO thing (id, name, version) VALUES (:id, '', 0)"), {"id": thing}
            )
    stage, late = Stage(rig, things), 0
    for number in range(FIRST, FIRST + count):
        try:
            await stage.play(random.Random(f"{SEED}:{number}"))
            late += stage.check()
        except BaseException as error:
            error.add_note(
                f"KANTIS_TEST_SEED={SEED} KANTIS_TEST_FIRST={number}: {'; '.join(stage.steps)}"
            )
            raise
    pool = await rig.service.database.pool()
    assert 0 == await pool.fetchval("SELECT count(*) FROM outbox")
    return late


async def test_in_whatever_order_transactions_commit_no_event_is_skipped_or_out_of_its_order(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)

    late = await play_many(rig, 60)

    assert late >= 60 // 10


@pytest.mark.slow
async def test_ten_thousand_orders_of_commits_skip_nothing(rig_for):
    rig = await rig_for(SPEC, start=False)

    late = await play_many(rig, 10_000)

    assert late >= 10_000 // 10
