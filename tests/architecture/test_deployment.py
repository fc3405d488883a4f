"""What stands in the image and in docker-compose.yml follows the workspace; read without an engine."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from kantis.registry import ALL, SERVICES

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "deploy" / "images"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
DOCKERFILE = (IMAGES / "Dockerfile").read_text(encoding="utf-8")
TOOLS = {"pytest", "ruff", "mypy", "hypothesis", "coverage", "uv", "pip", "squawk-cli"}
every_service = pytest.mark.parametrize("service", SERVICES)


def pins_of(lock: Path) -> dict[str, str]:
    """Return each pin of a lock with its marker and hashes."""
    text = lock.read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text.strip())
    return {re.split(r" ;| \\", block, maxsplit=1)[0]: block for block in blocks}


def needed_by_members() -> set[str]:
    """Return the pinned requirements of every member, without extras and markers."""
    found = set()
    for file in [*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]:
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        for requirement in project["dependencies"]:
            pin = re.sub(r"\[.*?\]", "", requirement.split(";")[0]).strip().lower()
            if "==" in pin:
                found.add(re.sub(r"[._]", "-", pin.split("==")[0]) + "==" + pin.split("==")[1])
    return found


@pytest.mark.parametrize("lock", ["requirements.lock", "build.lock"])
def test_the_image_installs_what_the_workspace_has_locked(lock):
    whole, part = pins_of(ROOT / "requirements.lock"), pins_of(IMAGES / lock)

    strip_marker = re.compile(r" ;.*? \\")  # another set of groups may need other markers
    assert part
    for name, block in part.items():
        assert strip_marker.sub(" \\\\", block) == strip_marker.sub(" \\\\", whole.get(name, "")), (
            f"{name}: run `make lock`"
        )


def test_the_image_has_everything_that_the_members_need_and_no_tools():
    names = set(pins_of(IMAGES / "requirements.lock"))

    assert needed_by_members() <= names
    assert not {name.split("==")[0] for name in names} & TOOLS


def test_the_image_names_no_address_and_runs_as_nobody_in_particular():
    assert "://" not in DOCKERFILE
    assert re.search(r"^USER (?!0|root)\d+:\d+$", DOCKERFILE, re.MULTILINE)


@every_service
def test_compose_runs_each_service_behind_the_gateway(service):
    for name, role in ((service, "web"), (f"{service}-worker", "worker")):
        command = COMPOSE[name]["command"]
        assert ["serve", service, "--role", role] == command[:4]
        assert f"migrate-{service}" in COMPOSE[name]["depends_on"]
    upstream = COMPOSE["gateway"]["environment"][f"KANTIS_UPSTREAM_{service.upper()}"]
    assert f"http://{service}:8000" == upstream


@pytest.mark.parametrize("service", ALL)
def test_the_secrets_of_each_service_have_a_place(service):
    assert f"{service}-secrets:/run/kantis-out/{service}" in COMPOSE["secrets"]["volumes"]
    assert f"/run/kantis-out/{service}" in DOCKERFILE
    assert f"{service}-secrets:/run/secrets/kantis:ro" in COMPOSE[service]["volumes"]
    assert ["migrate", service] == COMPOSE[f"migrate-{service}"]["command"]
