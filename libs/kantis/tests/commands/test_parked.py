"""`kantis parked` lists, shows and replays what was set aside in a service's database."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from kantis.cli import app
from kantis_kit.brokers.port import Delivery
from kantis_kit.ids import new_id
from kantis_kit.testing.probe import SPEC


@pytest.fixture
async def rig(rig_for, monkeypatch, tmp_path):
    made = await rig_for(SPEC, start=False)
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path / "nothing runs here"))
    monkeypatch.setenv("KANTIS_SERVICE", "probe")
    monkeypatch.setenv("KANTIS_POSTGRES_DSN", made.dsns["probe"])
    return made


async def kantis(*words):
    return await asyncio.to_thread(CliRunner().invoke, app, ["parked", *words])


async def park(rig, *contents):
    odd = [Delivery(None, None, redelivered=False, raw=raw, problem="odd") for raw in contents]
    await rig.service.consumers[0]._settle(odd)


async def test_what_is_parked_is_listed_shown_and_replayed_by_name(rig):
    await park(rig, b"one", b"two")

    rows = json.loads((await kantis("list", "--json")).stdout)
    shown = await kantis("show", rows[0]["event_id"])
    replayed = await kantis("replay", rows[0]["event_id"])
    gone = await kantis("show", rows[0]["event_id"])
    unknown = await kantis("replay", str(new_id()))
    rest = await kantis("replay")
    empty = await kantis("list")

    assert {"one", "two"} > {json.loads(shown.stdout)["content"]}
    assert "unreadable: odd" == rows[0]["reason"]
    assert (1, "") == (gone.exit_code, gone.stdout)
    told = [one.stderr.strip() for one in (replayed, unknown, rest)]
    assert ["1 let loose", "0 let loose", "1 let loose"] == told
    assert "Nothing is parked" in empty.stderr
    pool = await rig.service.database.pool()
    audited = await pool.fetch("SELECT actor, subject FROM audit WHERE action = 'parked.replay'")
    expected = {("command line", row["event_id"]) for row in rows}
    assert expected == {tuple(row) for row in audited}


async def test_one_of_more_than_a_page_is_found(rig):
    await park(rig, *(f"message {n}".encode() for n in range(501)))
    pool = await rig.service.database.pool()
    oldest = await pool.fetchval("SELECT event_id FROM delivery ORDER BY last_at, event_id LIMIT 1")

    assert 0 == (await kantis("show", str(oldest))).exit_code
    assert "1 let loose" == (await kantis("replay", str(oldest))).stderr.strip()
