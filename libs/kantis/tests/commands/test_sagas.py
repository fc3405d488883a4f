"""`kantis sagas` lists what is stuck in a service's database and lets it go on."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from kantis.cli import app
from kantis_kit import sagas
from kantis_kit.sagas import SagaDefinition, Step
from kantis_kit.testing.probe import SPEC
from kantis_kit.tx import write

BROKEN = {"pack"}


async def act(_tx, _saga):
    pass


async def undo(_tx, saga):
    if saga.step in BROKEN:
        raise RuntimeError("the box is sealed")


ORDER = SagaDefinition("probe.order", [Step("pack", act, timedelta(minutes=1), undo)])


@pytest.fixture
async def rig(rig_for, monkeypatch, tmp_path):
    made = await rig_for(replace(SPEC, handlers=[], sagas=[ORDER]), start=False)
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path / "nothing runs here"))
    monkeypatch.setenv("KANTIS_SERVICE", "probe")
    monkeypatch.setenv("KANTIS_POSTGRES_DSN", made.dsns["probe"])
    return made


async def kantis(*words):
    return await asyncio.to_thread(CliRunner().invoke, app, ["sagas", *words])


async def test_what_is_stuck_is_listed_and_goes_on_when_resumed(rig):
    service = rig.service
    async with write(service.scope) as tx:
        await sagas.start(tx, "probe.order", "order-1")
    for pause in (60, 1, 4):
        rig.clock.advance(timedelta(seconds=pause))
        await service.timers.step()

    shown = await kantis("list")
    (row,) = json.loads((await kantis("list", "--json")).stdout)
    resumed = await kantis("resume", row["id"])
    again = await kantis("resume")
    empty = await kantis("list")

    assert "order-1" in shown.stdout
    assert ("probe", "probe.order", "pack") == (row["service"], row["kind"], row["step"])
    assert "the box is sealed" in row["problem"]
    assert ("1 resumed", "0 resumed") == (resumed.stderr.strip(), again.stderr.strip())
    assert "Nothing is stuck" in empty.stderr
    BROKEN.clear()
    await _until_due(rig)
    async with write(service.scope) as tx:
        assert "compensated" == (await sagas.find(tx, "probe.order", "order-1")).state
    pool = await service.database.pool()
    assert "command line" == await pool.fetchval("SELECT actor FROM audit")


async def _until_due(rig):
    """The command goes by the wall clock, which is ahead of the test's."""
    pool = await rig.service.database.pool()
    due = await pool.fetchval("SELECT due_at FROM timer")
    rig.clock.advance(max(timedelta(), due - rig.clock.now()))
    await rig.service.timers.step()


async def test_an_id_that_is_none_is_refused_in_words(rig):
    assert 2 == (await kantis("resume", "order-1")).exit_code
