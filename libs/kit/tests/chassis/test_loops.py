"""A loop of the worker side that dies is begun anew: nothing stands still in a process that looks alive."""

import asyncio
from dataclasses import replace

from kantis_kit import service as service_module
from kantis_kit.errors import KantisError
from kantis_kit.testing.probe import SPEC
from kantis_kit.testing.waiting import eventually


class Broke(KantisError):
    """What a loop dies of."""


async def test_a_loop_that_dies_is_begun_anew_and_counted(rig_for, monkeypatch):
    monkeypatch.setattr(service_module, "LOOP_PAUSE_SECONDS", 0)
    begun = []

    async def own_loop(service):
        begun.append(service.spec.name)
        if len(begun) < 3:
            raise Broke
        await asyncio.Event().wait()

    rig = await rig_for(replace(SPEC, loops=[own_loop]))
    await eventually(lambda: len(begun) == 3, message="the loop is not begun anew")

    async with rig.anonymous() as client:
        told = (await client.get("/metrics")).text
    assert 'kantis_loops_died_total{loop="own_loop",service="probe"} 2.0' in told


async def test_a_service_whose_broker_fails_in_an_unknown_way_connects_all_the_same(
    rig_for, monkeypatch
):
    monkeypatch.setattr(service_module, "LOOP_PAUSE_SECONDS", 0)
    rig = await rig_for(SPEC, start=False)
    service = rig.service
    real, calls = service.broker.declare, []

    async def declare(subscriptions):
        calls.append(len(subscriptions))
        if len(calls) == 1:
            raise Broke
        await real(subscriptions)

    monkeypatch.setattr(service.broker, "declare", declare)
    await service.broker.stop()
    await service.start()
    async with rig.client() as client:
        await client.post("/v1/things", json={"name": "one"})
    await rig.drain()

    pool = await service.database.pool()
    assert 1 == await pool.fetchval("SELECT count(*) FROM effect")
    assert 2 == len(calls)


async def test_loops_end_with_their_service(rig_for):
    begun, ended = asyncio.Event(), []

    async def own_loop(_service):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    rig = await rig_for(replace(SPEC, loops=[own_loop]))
    await begun.wait()
    await rig.service.stop()

    assert [True] == ended
