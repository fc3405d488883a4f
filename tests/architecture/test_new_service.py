"""The skeleton of a new service is one that the tools of the house accept and that Python can run."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import lint_kantis
import lint_migrations
import new_service
from kantis_kit.testing.probe import SPEC as PROBE
from kantis_kit.testing.schema import schema_problems

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    assert new_service.main(["loyalty-svc"], tmp_path) == 0
    return tmp_path / "services/loyalty-svc"


def test_its_composition_root_gives_a_specification(service: Path):
    script = "from loyalty_svc.main import SPEC; print(SPEC.name, SPEC.title, (SPEC.migrations / 'env.py').is_file())"

    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(service / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout) == (0, "loyalty Loyalty True\n"), run.stderr


FIRST_PARTY = (
    "lint.isort.known-first-party = ['kantis_kit']"  # seen beside it when it lies in the house
)


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_it_is_written_as_the_house_writes(service: Path, command: list[str]):
    ruff = Path(sys.executable).with_name("ruff")

    run = subprocess.run(
        [
            str(ruff),
            *command,
            "--config",
            str(ROOT / "pyproject.toml"),
            "--config",
            FIRST_PARTY,
            "--no-cache",
            ".",
        ],
        cwd=service.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_it_keeps_our_own_rules(service: Path):
    root = service.parent.parent
    findings = [
        finding
        for file in service.rglob("*.*")
        for finding in lint_kantis.file_findings(
            str(file.relative_to(root)), file.read_text(encoding="utf-8")
        )
    ]

    assert findings == []


def test_its_migrations_are_harmless(service: Path):
    assert [] == lint_migrations.problems(service / "migrations")


async def test_its_schema_is_what_its_own_test_asks_for(service: Path, rig_for):
    rig = await rig_for(replace(PROBE, migrations=service / "migrations"), start=False)

    assert [] == await schema_problems(rig.service)


def test_it_says_what_is_left_to_do_by_hand(tmp_path: Path, capsys):
    new_service.main(["loyalty-svc"], tmp_path)

    told = capsys.readouterr().out
    assert all(
        place in told for place in ("pyproject.toml", "docker-compose.yml", "services/gateway")
    )


@pytest.mark.parametrize(
    "name", ["", "loyalty", "Loyalty-svc", "loyalty svc", "-svc", "../loyalty-svc"]
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str, capsys):
    assert new_service.main([name], tmp_path) == 1
    assert "name=loyalty-svc" in capsys.readouterr().err
    assert not (tmp_path / "services").exists()


def test_a_service_that_exists_is_left_alone(service: Path, capsys):
    kept = service / "README.md"
    kept.write_text("mine\n", encoding="utf-8")

    assert new_service.main(["loyalty-svc"], service.parent.parent) == 1
    assert "is there already" in capsys.readouterr().err
    assert kept.read_text(encoding="utf-8") == "mine\n"
