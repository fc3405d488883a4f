"""What the command line refuses, and how it says so."""

import json

import pytest
from typer.testing import CliRunner

from kantis import doctor
from kantis.cli import app
from kantis.errors import InstallationError
from kantis.installation import Surroundings


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


def test_an_unknown_service_or_role_is_refused_in_words():
    assert 2 == CliRunner().invoke(app, ["serve", "billing"]).exit_code
    assert 2 == CliRunner().invoke(app, ["serve", "orders", "--role", "king"]).exit_code


def test_a_port_that_is_no_number_is_refused_in_words():
    with pytest.raises(InstallationError, match="KANTIS_PORT must be a number"):
        Surroundings.read({"KANTIS_PORT": "http"})
