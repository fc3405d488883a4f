"""Facts of people who were merged: they follow, come back, and each person counts once."""

import itertools
import random
from datetime import timedelta

import pytest

from analytics_svc.facts.intake import engaged
from analytics_svc.facts.usecases import rebuild, record, take_merges
from analytics_svc.main import SPEC
from kantis_contracts.contacts import PersonMergedV1
from kantis_contracts.messaging import Engagement
from kantis_contracts.values import Channel
from kantis_kit.db.aliases import Merge
from kantis_kit.ids import new_id
from kantis_kit.testing.merges import Register, follow
from kantis_kit.tx import write


def click(person_id, campaign_id, at):
    return Engagement(
        engagement_id=new_id(), message_id=new_id(), person_id=person_id, campaign_id=campaign_id,
        cell_id=new_id(), channel=Channel.EMAIL, verdict="human", seen_at=at,
    )  # fmt: skip


async def tell(service, items):
    async with write(service.scope, actor="test") as tx:
        await record(tx, engaged(tuple(items), kind="click", person_kind="clicker"))


async def take(tx, items):
    news = [
        Merge(one.merged_id, one.known_id, one.merge_id, one.version, one.is_undone, one.at)
        for one in items
    ]
    await take_merges(tx, news)


async def counted(service, measure="clicked_persons"):
    pool = await service.database.pool()
    return await pool.fetchval(
        "SELECT coalesce(sum(value), 0)::int FROM tally WHERE measure = $1", measure
    )


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_of_merges_ends_where_they_lead_and_undoing_all_gives_the_same_numbers(
    rig_for, seed
):
    chance = random.Random(seed)
    service = (await rig_for(SPEC, start=False)).service
    people, campaigns = [new_id() for _ in range(6)], [new_id(), new_id()]
    now = service.scope.clock.now()
    await tell(
        service,
        [
            click(person, campaign, now + timedelta(hours=chance.randint(0, 99)))
            for person, campaign in itertools.product(people, campaigns)
            if chance.random() < 0.8
        ],
    )

    followed = await follow(service, take, people, tables=["fact"], seed=seed)

    assert followed.expected == followed.found
    assert followed.before == followed.after


@pytest.mark.parametrize("seed", range(3))
async def test_a_person_counts_once_whatever_comes_first_merges_or_clicks(rig_for, seed):
    chance = random.Random(seed)
    service = (await rig_for(SPEC, start=False)).service
    people, campaign = [new_id() for _ in range(5)], new_id()
    now = service.scope.clock.now()
    register = Register(people, now)
    news = [(take, [one]) for one in register.wander(chance, 12)]
    clicks = [click(chance.choice(people), campaign, now + timedelta(hours=n)) for n in range(10)]
    news += [(None, [one]) for one in clicks]
    chance.shuffle(news)

    for handler, items in news:
        if handler is None:
            await tell(service, items)
            continue
        async with write(service.scope, actor="test") as tx:
            await handler(tx, items)
    async with write(service.scope, actor="test") as tx:
        wrong = await rebuild(tx)

    assert len({register.known(one.person_id) for one in clicks}) == await counted(service)
    assert 10 == await counted(service, "clicked")
    assert 0 == wrong


async def test_the_event_is_heard(rig_for):
    rig = await rig_for(SPEC)
    merged, known, campaign = new_id(), new_id(), new_id()
    await tell(rig.service, [click(one, campaign, rig.clock.now()) for one in (merged, known)])
    register = Register([merged, known], rig.clock.now())

    before = await counted(rig.service)
    await rig.publish(PersonMergedV1(items=(register.merge(merged, known),)), copies=2)
    await rig.drain()
    together = await counted(rig.service)
    await rig.publish(PersonMergedV1(items=(register.undo(merged),)))
    await rig.drain()

    assert (2, 1, 2) == (before, together, await counted(rig.service))
