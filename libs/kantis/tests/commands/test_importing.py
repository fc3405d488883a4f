"""`kantis import`: the file goes out in parts, is followed to its end, and a refusal is a sentence."""

import io
import json

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from kantis import importing
from kantis.cli import app
from kantis.importing import ImportFailed, import_file, summary

RUNNING = {
    "id": "7",
    "state": "running",
    "percent": 10,
    "rows": 5,
    "created": 3,
    "updated": 1,
    "unchanged": 0,
    "rejected": 1,
    "problem": "",
}


class Door:
    """An installation that takes a file in three looks."""

    def __init__(self, *looks, first=None):
        self.looks = list(looks)
        self.first = first or httpx.Response(202, json=RUNNING)
        self.posted = None
        self.parameters = {}
        self.headers = {}

    async def __call__(self, request):
        if request.method == "POST":
            self.posted = await request.aread()
            self.parameters = dict(request.url.params)
            self.headers = request.headers
            return self.first
        look = self.looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look


async def run(door, path, monkeypatch, **parameters):
    monkeypatch.setattr(importing, "LOOK_SECONDS", 0)
    return await import_file(
        path,
        parameters,
        url="http://kantis.test",
        key="k",
        screen=Console(file=io.StringIO()),
        transport=httpx.MockTransport(door),
    )


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("navn;e-post\n" + "Kari;kari@example.com\n" * 20_000, encoding="utf-8")
    return path


async def test_a_file_is_sent_and_followed_also_when_nobody_answers_for_a_moment(
    table, monkeypatch
):
    door = Door(
        httpx.Response(200, json=RUNNING),
        httpx.ConnectError("away"),
        httpx.Response(503),
        httpx.Response(200, json=RUNNING | {"state": "done", "percent": 100}),
    )

    told = await run(door, table, monkeypatch, source="fair")

    assert "done" == told["state"]
    assert table.read_bytes() == door.posted
    assert {"source": "fair"} == door.parameters
    assert ("text/csv", "Bearer k") == (door.headers["content-type"], door.headers["authorization"])
    assert str(table.stat().st_size) == door.headers["content-length"]
    assert "1 not taken" in summary(told)
    assert "rejects.csv" in summary(told)


async def test_a_refusal_is_a_sentence(table, monkeypatch):
    problem = {"title": "This file cannot be imported", "detail": "no column for a name"}
    with pytest.raises(ImportFailed, match="cannot be imported: no column for a name"):
        await run(Door(first=httpx.Response(422, json=problem)), table, monkeypatch)
    with pytest.raises(ImportFailed, match="the answer was 502"):
        await run(Door(first=httpx.Response(502, text="<html>")), table, monkeypatch)
    with pytest.raises(ImportFailed, match="cannot be imported"):
        await run(Door(httpx.Response(404, json=problem)), table, monkeypatch)


async def test_who_never_answers_is_given_up(table, monkeypatch):
    monkeypatch.setattr(importing, "PATIENCE", 2)

    with pytest.raises(ImportFailed, match="goes on by itself"):
        await run(Door(*[httpx.Response(503)] * 3), table, monkeypatch)


async def test_a_preview_is_returned_as_it_is(table, monkeypatch):
    door = Door(first=httpx.Response(200, json={"mapping": {}}))

    assert {"mapping": {}} == await run(door, table, monkeypatch, preview="true")


def test_the_command_prints_what_became_of_it(table, monkeypatch):
    told = RUNNING | {"state": "failed", "problem": "the file is gone"}
    seen = {}

    async def instead(file, parameters, screen):
        del screen
        seen.update(parameters, file=file.name)
        return told

    monkeypatch.setattr(importing, "_import", instead)

    shown = CliRunner().invoke(app, ["import", str(table), "--again", "--mapping", "Fair"])
    machine = CliRunner().invoke(app, ["import", str(table), "--json"])

    assert (1, 1) == (shown.exit_code, machine.exit_code)
    assert "the file is gone" in shown.output
    assert told == json.loads(machine.stdout)
    assert "people.csv" == seen["file"]
    assert 2 == CliRunner().invoke(app, ["import", str(table) + "x"]).exit_code


def test_without_an_installation_the_command_says_what_to_do(table, monkeypatch, tmp_path):
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("KANTIS_URL", raising=False)

    told = CliRunner().invoke(app, ["import", str(table)])

    assert 1 == told.exit_code
    assert "kantis up" in told.output
