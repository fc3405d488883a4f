"""Messages of people who were merged: they follow, come back, and nobody is told twice or against a no."""

import random
from datetime import timedelta

import pytest

from kantis_contracts.contacts import PersonChangedV1, PersonMergedV1
from kantis_contracts.orders import Notice
from kantis_contracts.values import Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.merges import Register, follow
from kantis_kit.tx import write
from messaging_svc.dispatch.usecases import plan_notices, plan_pieces
from messaging_svc.links import Unsubscribe
from messaging_svc.main import SPEC
from messaging_svc.merges.usecases import take_merges
from messaging_svc.register.usecases import keep_persons
from messaging_svc.tracking.usecases import suppress, withdraw


class Pair:
    """Two records of one person, both of which may be mailed."""

    def __init__(self, house):
        self.house = house
        self.merged, self.known = house.person(0), house.person(1)
        self.register = Register(
            [self.merged.person_id, self.known.person_id], house.rig.clock.now()
        )

    @property
    def ids(self):
        return [self.merged.person_id, self.known.person_id]

    async def merge(self):
        """Tell of the merge, and that the merged card has no address any more."""
        bare = self.merged.model_copy(update={"email": None, "version": 2})
        told = self.register.merge(*self.ids)
        await self.house.rig.publish(
            PersonChangedV1(items=(bare,)), PersonMergedV1(items=(told,)), copies=2
        )
        await self.house.rig.drain()

    async def part(self):
        """Tell that the merge was undone."""
        whole = self.merged.model_copy(update={"version": 3})
        told = self.register.undo(self.merged.person_id)
        await self.house.rig.publish(PersonMergedV1(items=(told,)), PersonChangedV1(items=(whole,)))
        await self.house.rig.drain()

    async def mail(self, *persons, count=1, **changes):
        """Launch, and return how the newest messages ended."""
        before = {row["id"] for row in await self.house.rows()}
        await self.house.rig.publish(self.house.launch(list(persons), **changes))
        rows = await self.house.until_ended(len(before) + count)
        return [(row["person_id"], row["rule"]) for row in rows if row["id"] not in before]


@pytest.fixture
async def pair(house):
    await house.save_template()
    pair = Pair(house)
    await house.know(pair.merged, pair.known)
    return pair


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_merges_ends_where_they_lead_and_undoing_all_gives_the_same_rows(
    open_house, rig_for, seed
):
    chance = random.Random(seed)
    launches = await open_house()
    service = (await rig_for(SPEC, start=False)).service
    people = [launches.person(n) for n in range(6)]
    ids = [one.person_id for one in people]
    async with write(service.scope, actor="test") as tx:
        await keep_persons(tx, people)
        for _ in range(3):
            await plan_pieces(tx, launches.launch(chance.sample(ids, 4)))
        await plan_notices(
            tx,
            [
                Notice(notice_id=new_id(), person_id=one, kind="order_placed", facts={})
                for one in ids
            ],
        )

    followed = await follow(service, take_merges, ids, tables=["dispatch"], seed=seed)

    assert followed.expected == followed.found
    assert followed.before == followed.after


async def test_a_launch_that_named_both_tells_the_person_once(pair):
    merged, known = pair.ids
    launch = {"launch_id": new_id(), "cell_id": new_id()}

    first = await pair.mail(merged, **launch)
    await pair.merge()
    second = await pair.mail(known, **launch)
    other = await pair.mail(merged, known, count=2)

    assert [(merged, "allowed")] == first
    assert [(known, "told_already")] == second
    assert [(known, "allowed"), (known, "told_already")] == other
    assert 2 == len(pair.house.sink.messages)


async def test_what_waits_for_the_merged_one_is_mailed_to_the_known_one(pair):
    merged, known = pair.ids
    await pair.merge()

    found = await pair.mail(merged)

    assert [(known, "allowed")] == found
    assert [pair.known.email] == [mail["To"] for mail in pair.house.mails()]


@pytest.mark.parametrize("way", ["withdrawal", "ledger", "objection", "after the merge"])
async def test_a_no_of_the_merged_one_holds_until_a_younger_yes(pair, way):
    merged, known = pair.ids
    link = Unsubscribe(merged, new_id(), Purpose.OFFERS)
    async with write(pair.house.rig.service.scope, actor="test") as tx:
        if way == "withdrawal":
            await withdraw(tx, link, source="one_click")
        if way == "objection":
            await suppress(tx, [pair.merged.email], "objection", "")
    if way == "ledger":
        await pair.house.permit([merged], state="withdrawn", version=2)

    await pair.merge()
    if way == "after the merge":
        async with write(pair.house.rig.service.scope, actor="test") as tx:
            await withdraw(tx, link, source="one_click")
    stopped = await pair.mail(known)
    await pair.house.permit([known], version=3, at=pair.house.rig.clock.now() + timedelta(hours=1))
    again = await pair.mail(known)

    rule = "address_suppressed" if way == "objection" else "withdrawn"
    assert [(known, rule)] == stopped
    assert [(known, rule if way == "objection" else "allowed")] == again


async def test_a_hard_bounce_of_the_merged_ones_address_says_nothing_of_the_known_ones(pair):
    async with write(pair.house.rig.service.scope, actor="test") as tx:
        await suppress(tx, [pair.merged.email], "hard_bounce", "")

    await pair.merge()

    assert [(pair.known.person_id, "allowed")] == await pair.mail(pair.known.person_id)


async def test_the_old_id_answers_with_the_known_one_and_with_itself_when_parted(pair):
    merged, known = pair.ids
    await pair.mail(merged)

    async def shown():
        async with pair.house.rig.client(scopes=["messaging:read"]) as client:
            found = (await client.get("/v1/messages", params={"person_id": str(merged)})).json()
            why = (await client.get(f"/v1/messages/{found['items'][0]['id']}/why")).json()
        return why["message"]["person_id"], why["message"]["merged_id"]

    alone = await shown()
    await pair.merge()
    together = await shown()
    await pair.part()

    assert (str(merged), None) == alone
    assert (str(known), str(merged)) == together
    assert alone == await shown()
    assert [(merged, "allowed")] == await pair.mail(merged)


async def test_what_was_written_while_the_merge_was_follows_a_little_later(pair):
    merged, known = pair.ids
    await pair.merge()
    pool = await pair.house.rig.service.database.pool()
    await pair.mail(known)
    await pool.execute("UPDATE dispatch SET person_id = $1", merged)

    pair.house.rig.clock.advance(timedelta(minutes=2))
    await pair.house.rig.drain()

    assert [(known, merged)] == [
        (row["person_id"], row["merged_id"]) for row in await pair.house.rows()
    ]
