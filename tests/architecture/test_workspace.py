"""The lock and the lists of members agree with what the members say of themselves."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = sorted(
    path.parent
    for path in ROOT.glob("*/*/pyproject.toml")
    if path.parts[-3] in ("libs", "services")
)
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENGINE = (ROOT / "tools/engine.lock").read_text(encoding="utf-8")
PROMISED = {
    "setup",
    "run",
    "test",
    "test-long",
    "check",
    "bench",
    "compose-test",
    "lock",
    "events",
    "new-service",
}

each_member = pytest.mark.parametrize("member", MEMBERS, ids=lambda path: path.name)


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def locked(text: str) -> Iterator[tuple[Requirement, str]]:
    """Each requirement of a lock with the rest of its entry."""
    for entry in re.split(r"\n(?=\S)", text.strip()):
        head, _, rest = entry.partition("\\\n")
        yield Requirement(head.strip()), rest


def without_hash(text: str) -> list[str]:
    return [
        one.name for one, rest in locked(text) if not re.search(r"--hash=sha256:[0-9a-f]{64}", rest)
    ]


def missing(wanted: list[str], text: str) -> list[str]:
    """The requirements that the lock does not fulfil."""
    pins: dict[str, list[str]] = {}
    for one, _ in locked(text):
        pins.setdefault(canonicalize_name(one.name), []).append(
            str(one.specifier).removeprefix("==")
        )
    return [
        one
        for one in map(str, map(Requirement, wanted))
        if not any(
            Requirement(one).specifier.contains(version, prereleases=True)
            for version in pins.get(canonicalize_name(Requirement(one).name), ())
        )
    ]


MEMBER_NAMES = {canonicalize_name(project(member)["project"]["name"]) for member in MEMBERS}


def from_outside(requirements: list[str]) -> list[str]:
    return [
        one for one in requirements if canonicalize_name(Requirement(one).name) not in MEMBER_NAMES
    ]


def test_every_pin_of_the_lock_has_a_hash():
    assert without_hash(LOCK) == []
    assert without_hash(ENGINE) == []


def test_the_lock_holds_no_address():
    assert not re.search(r"://|index-url|find-links", LOCK + ENGINE)


def test_a_pin_without_a_hash_is_noticed():
    text = f"one==1 \\\n    --hash=sha256:{'0' * 64}\ntwo==2\n"

    assert without_hash(text) == ["two"]


@each_member
def test_what_a_member_needs_is_locked_and_pinned(member: Path):
    wanted = from_outside(project(member)["project"]["dependencies"])

    assert missing(wanted, LOCK) == []
    assert [one for one in wanted if not str(Requirement(one).specifier).startswith("==")] == []


def test_the_tools_of_the_workspace_are_locked():
    groups = project(ROOT)["dependency-groups"]
    engine = groups.pop("engine")

    assert missing([one for group in groups.values() for one in group], LOCK) == []
    assert missing(engine, ENGINE) == []


def test_what_is_in_two_locks_is_of_one_version():
    locked = [
        set(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE)) for lock in (ENGINE, LOCK)
    ]
    ours, theirs = ({name for name, _ in one} for one in locked)

    assert "pyarrow" in ours & theirs
    assert {one for one in locked[0] if one[0] in theirs} == {
        one for one in locked[1] if one[0] in ours
    }


def test_a_requirement_that_the_lock_does_not_fulfil_is_noticed():
    text = f"one==1 \\\n    --hash=sha256:{'0' * 64}\n"

    assert missing(["one==1", "one==2", "other>=1"], text) == ["one==2", "other>=1"]


@each_member
def test_a_member_is_in_every_list_of_the_workspace(member: Path):
    """A new service fails here until the workspace knows it; the README says how one adds a service."""
    package = next(
        path.name for path in (member / "src").iterdir() if path.is_dir() and "." not in path.name
    )
    name, root = project(member)["project"]["name"], project(ROOT)

    assert package in root["tool"]["importlinter"]["root_packages"]
    assert package in root["tool"]["coverage"]["run"]["source_pkgs"]
    assert name in root["project"]["dependencies"]
    assert name in root["tool"]["uv"]["sources"]
    if member.parent.name == "services":
        contracts = {one["id"]: one for one in root["tool"]["importlinter"]["contracts"]}
        assert package in contracts["repo-layers"]["layers"][1].split(" | ")
        assert f"{package}.*" in contracts["slice-layers"]["containers"]
        assert package in contracts["no-cycles"]["ancestors"]
        assert name in project(ROOT / "libs/kantis")["project"]["dependencies"]


@each_member
def test_a_member_tells_type_checkers_that_it_is_typed(member: Path):
    assert list((member / "src").glob("*/py.typed"))


def test_the_promised_targets_exist_and_say_what_they_do():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert set(re.findall(r"^([a-z-]+):.*## \S", text, re.MULTILINE)) >= PROMISED


def test_lock_files_that_record_addresses_stay_out_of_the_repository():
    command = ["git", "-C", str(ROOT), "check-ignore", "uv.lock", ".venv/x", "data/x"]

    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert run.stdout.split() == ["uv.lock", ".venv/x", "data/x"]
