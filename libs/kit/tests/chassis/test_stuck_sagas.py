"""Sagas that wait for a person are seen by the figures, listed by the API, and go on when they are resumed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kantis_kit import sagas
from kantis_kit.errors import KantisError
from kantis_kit.sagas import MAX_ATTEMPTS, SagaDefinition, Step
from kantis_kit.testing.probe import SPEC
from kantis_kit.tx import write

WITHIN = timedelta(minutes=10)
BROKEN: set[str] = set()
KIND = "probe.order"


class Broke(KantisError):
    """What a compensation raises when told to."""


async def act(_tx, _saga):
    pass


async def compensate(_tx, saga):
    if saga.step in BROKEN:
        raise Broke(f"cannot undo {saga.step}")


ORDER = SagaDefinition(KIND, [Step("reserve", act, WITHIN, compensate)])


@pytest.fixture
async def rig(rig_for):
    BROKEN.clear()
    yield await rig_for(replace(SPEC, handlers=[], sagas=[ORDER]), start=False)
    BROKEN.clear()


async def pass_time(rig, much=timedelta()):
    rig.clock.advance(much)
    await rig.service.timers.step()


async def _stick(rig, *keys):
    """Bring sagas to the operators' list, one after the other."""
    BROKEN.add("reserve")
    for key in keys:
        async with write(rig.service.scope) as tx:
            await sagas.start(tx, KIND, key)
        for pause in (WITHIN, timedelta(seconds=1), timedelta(seconds=4)):
            await pass_time(rig, pause)
    BROKEN.clear()


async def test_operators_list_stuck_sagas_by_pages_and_resume_them(rig):
    await _stick(rig, "a", "b", "c")
    path = "/v1/operations/probe/sagas"

    async with rig.client(scopes=["operations:write"], caller="ops") as client:
        first = (await client.get(path, params={"limit": 2})).json()
        second = (
            await client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})
        ).json()
        one = first["items"][0]
        resumed = await client.post(f"{path}/resume", json={"sagas": [one["id"]]})
        again = await client.post(f"{path}/resume", json={"sagas": [one["id"]]})
        rest = await client.post(f"{path}/resume", json={})
        gone = (await client.get(path)).json()
        odd = await client.get(path, params={"cursor": "b2Rk"})
    await pass_time(rig)

    assert ["a", "b"] == [item["key"] for item in first["items"]]
    assert (["c"], None) == ([item["key"] for item in second["items"]], second["next_cursor"])
    assert (KIND, "reserve", MAX_ATTEMPTS) == (one["kind"], one["step"], one["attempts"])
    assert "cannot undo reserve" in one["problem"]
    assert [1, 0, 2] == [answer.json()["resumed"] for answer in (resumed, again, rest)]
    assert [] == gone["items"]
    assert 422 == odd.status_code
    pool = await rig.service.database.pool()
    states = "SELECT count(*) FROM saga WHERE state = 'compensated'"
    assert 3 == await pool.fetchval(states)
    audited = "SELECT actor, subject FROM audit WHERE action = 'saga.resume' ORDER BY seq LIMIT 1"
    assert ("ops", one["id"]) == tuple(await pool.fetchrow(audited))


async def test_operators_who_may_only_read_resume_nothing(rig):
    await _stick(rig, "a")
    path = "/v1/operations/probe/sagas"

    async with rig.client(scopes=["operations:read"]) as client:
        refused = await client.post(f"{path}/resume", json={})
        left = (await client.get(path)).json()["items"]
    async with rig.client(scopes=["things:write"]) as client:
        unseen = await client.get(path)

    assert (403, 403) == (refused.status_code, unseen.status_code)
    assert ["a"] == [item["key"] for item in left]


async def test_sagas_that_have_not_ended_are_told_by_kind_and_state(rig):
    async def told():
        rig.service.figures.fresh_seconds = 0
        async with rig.anonymous() as client:
            lines = (await client.get("/metrics")).text.splitlines()
        names = 'kantis_saga_rows{{kind="probe.order",service="probe",state="{}"}}'.format
        values = dict(line.rsplit(" ", 1) for line in lines if line.startswith("kantis_saga"))
        return [float(values[names(state)]) for state in ("running", "compensating", "stuck")]

    assert [0, 0, 0] == await told()
    await _stick(rig, "a")
    async with write(rig.service.scope) as tx:
        await sagas.start(tx, KIND, "running")
    assert [1, 0, 1] == await told()
    BROKEN.add("reserve")
    await pass_time(rig, WITHIN)
    assert [0, 1, 1] == await told()

    BROKEN.clear()
    async with write(rig.service.scope) as tx:
        await sagas.resume(tx)
    await pass_time(rig, timedelta(seconds=1))
    assert [0, 0, 0] == await told()
