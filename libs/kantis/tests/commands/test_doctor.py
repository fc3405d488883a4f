"""What the command line refuses, and how it says so."""

import json
import os
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from kantis import doctor
from kantis.cli import app
from kantis.errors import InstallationError
from kantis.installation import Surroundings
from kantis.ports import listen_in_front
from kantis.runtime import Running, birth_of
from kantis_kit.brokers.port import Delivery
from kantis_kit.testing.probe import SPEC


def test_a_library_with_known_holes_stops_the_start(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "MINIMUM", {"starlette": (99, 0, 0)})
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path))

    started = CliRunner().invoke(app, ["up"])
    served = CliRunner().invoke(app, ["serve", "orders"])

    assert (1, 1) == (started.exit_code, served.exit_code)
    with pytest.raises(InstallationError, match=r"starlette .* has known holes.*make setup"):
        doctor.refuse_known_holes()


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "MINIMUM", {"jinja2": (99, 0, 0)})
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path))

    told = CliRunner().invoke(app, ["doctor", "--json"])

    wrong = [finding for finding in json.loads(told.stdout) if not finding["good"]]
    assert 1 == told.exit_code
    assert ["Run `make setup` to install what the lock names."] == [one["mend"] for one in wrong]


async def test_the_doctor_asks_the_servers_that_are_named(monkeypatch, tmp_path, postgres_server):
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path))
    with listen_in_front(None) as rabbit:
        port = rabbit.getsockname()[1]
        there = Surroundings.read(
            {
                "KANTIS_DATA_DIR": str(tmp_path),
                "KANTIS_POSTGRES_URL": postgres_server.admin_dsn(),
                "KANTIS_RABBITMQ_URL": f"amqp://guest:secret@127.0.0.1:{port}/",
            }
        )
        good = await doctor.examine(there)
    away = replace(there, postgres_url="postgresql://admin:secret@127.0.0.1:1/postgres")
    bad = {finding.what: finding.mend for finding in await doctor.examine(away) if not finding.good}

    assert all(finding.good for finding in good)
    assert f"RabbitMQ at 127.0.0.1:{port} answers" in {finding.what for finding in good}
    assert {"PostgreSQL at 127.0.0.1:1 answers", f"RabbitMQ at 127.0.0.1:{port} answers"} == {*bad}
    assert "KANTIS_POSTGRES_URL leads there" in bad["PostgreSQL at 127.0.0.1:1 answers"]
    assert "secret" not in str(bad)


async def test_the_doctor_tells_of_parked_messages(rig_for, monkeypatch, tmp_path):
    rig = await rig_for(SPEC, start=False)
    note = Running("http://127.0.0.1:1", os.getpid(), rig.dsns, born=birth_of(os.getpid()))
    note.write(tmp_path)
    around = Surroundings.read({"KANTIS_DATA_DIR": str(tmp_path)})

    before = {finding.what: finding.good for finding in await doctor.examine(around)}
    odd = [Delivery(None, None, redelivered=False, raw=b"?", problem="odd")]
    await rig.service.consumers[0]._settle(odd)
    after = {finding.what: finding.good for finding in await doctor.examine(around)}

    assert before["Parked messages: 0"]
    assert not after["Parked messages: 1"]


def test_an_unknown_service_or_role_is_refused_in_words():
    assert 2 == CliRunner().invoke(app, ["serve", "billing"]).exit_code
    assert 2 == CliRunner().invoke(app, ["serve", "orders", "--role", "king"]).exit_code


def test_a_port_that_is_no_number_is_refused_in_words():
    with pytest.raises(InstallationError, match="KANTIS_PORT must be a number"):
        Surroundings.read({"KANTIS_PORT": "http"})
