"""Setting up asks for little, says clearly what is missing, and works only when there is something to do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("sh", "cat", "cksum", "dirname", "head", "mkdir", "mv", "rm", "sleep", "cp", "chmod")

FAKE_PYTHON = """#!/bin/sh
# Stands in for an interpreter: answers what setup asks, and writes down what it is told to do.
case "$*" in
  *version_info*) exit {version_ok} ;;
  *sys.executable*) echo "$0" ;;
  *ensurepip*) exit {venv_ok} ;;
  "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; echo "venv" >> calls ;;
  *"pip"*install*) echo "$*" >> calls; [ ! -f broken ] || {{ echo "no matching wheel"; exit 1; }} ;;
esac
"""


class Machine:
    """A small checkout, and a machine with nothing but a shell, a few tools and a stand-in for Python."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "kantis copy"  # a blank in the path is a trap for shell scripts
        (self.checkout / "tools").mkdir(parents=True)
        shutil.copy(ROOT / "tools/setup.sh", self.checkout / "tools/setup.sh")
        (self.checkout / "requirements.lock").write_text("one==1\n", encoding="utf-8")
        for member in ("libs/kit", "services/orders-svc"):
            (self.checkout / member).mkdir(parents=True)
            (self.checkout / member / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in NEEDED:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)

    def python(self, name: str, *, is_new: bool = True, has_venv: bool = True) -> None:
        text = FAKE_PYTHON.format(version_ok=int(not is_new), venv_ok=int(not has_venv))
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def setup(self, **environment: str) -> subprocess.CompletedProcess[str]:
        (self.checkout / "calls").unlink(missing_ok=True)
        return subprocess.run(
            [str(self.bin / "sh"), str(self.checkout / "tools/setup.sh")],
            env={"PATH": str(self.bin), "HOME": str(self.bin), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        file = self.checkout / "calls"
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_fresh_machine_gets_an_environment_with_checked_hashes_and_every_member(machine: Machine):
    machine.python("python3.12")

    done = machine.setup()

    made, lock, members = machine.calls()
    assert done.returncode == 0, done.stderr
    assert made == "venv"
    assert "--require-hashes --no-deps -r requirements.lock" in lock
    assert (
        "--no-deps --no-build-isolation --no-index -e ./libs/kit -e ./services/orders-svc"
        in members
    )
    assert done.stdout == ""


def test_a_second_run_does_nothing(machine: Machine):
    machine.python("python3.12")
    machine.setup()

    done = machine.setup()

    assert (done.returncode, done.stderr, machine.calls()) == (0, "", [])


@pytest.mark.parametrize("changed", ["requirements.lock", "services/orders-svc/pyproject.toml"])
def test_a_changed_pin_or_member_is_installed_into_the_same_environment(
    machine: Machine, changed: str
):
    machine.python("python3.12")
    machine.setup()
    (machine.checkout / changed).write_text("two==2\n", encoding="utf-8")

    done = machine.setup()

    assert done.returncode == 0, done.stderr
    assert "venv" not in machine.calls()
    assert len(machine.calls()) == len(("lock", "members"))


def test_a_copied_checkout_makes_an_environment_of_its_own(machine: Machine):
    machine.python("python3.12")
    machine.setup()
    before = (machine.checkout / ".venv/.kantis-setup").read_text(encoding="utf-8")
    original = machine.checkout
    machine.checkout = original.with_name("second")
    shutil.copytree(original, machine.checkout)

    done = machine.setup()

    assert done.returncode == 0, done.stderr
    assert machine.calls()[0] == "venv"
    assert (original / ".venv/.kantis-setup").read_text(encoding="utf-8") == before


def test_without_a_new_python_it_says_what_to_install(machine: Machine):
    machine.python("python3", is_new=False)

    done = machine.setup()

    assert done.returncode == 1
    assert "no Python 3.11 or newer" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_without_venv_it_names_the_package_of_debian(machine: Machine):
    machine.python("python3", has_venv=False)

    done = machine.setup()

    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (machine.checkout / ".venv").exists()


def test_an_older_but_complete_python_is_taken_before_a_bare_one(machine: Machine):
    machine.python("python3.13", has_venv=False)
    machine.python("python3.11")

    done = machine.setup()

    assert done.returncode == 0, done.stderr
    assert "python3.11" in done.stderr


def test_a_failed_installation_shows_why_and_is_tried_again(machine: Machine):
    machine.python("python3.12")
    (machine.checkout / "broken").touch()

    failed = machine.setup()
    (machine.checkout / "broken").unlink()
    again = machine.setup()

    assert failed.returncode == 1
    assert "no matching wheel" in failed.stderr
    assert "installing requirements.lock failed" in failed.stderr
    assert again.returncode == 0, again.stderr


def test_the_guard_of_a_run_that_died_does_not_block(machine: Machine):
    machine.python("python3.12")
    gone = subprocess.run(
        [str(machine.bin / "sh"), "-c", "echo $$"], capture_output=True, text=True, check=True
    )
    (machine.checkout / ".venv.lock").write_text(gone.stdout, encoding="utf-8")

    done = machine.setup()

    assert done.returncode == 0, done.stderr
    assert not (machine.checkout / ".venv.lock").exists()


def test_an_interpreter_asked_for_by_name_must_exist(machine: Machine):
    machine.python("python3.12")

    done = machine.setup(KANTIS_PYTHON="python9")

    assert done.returncode == 1
    assert "KANTIS_PYTHON=python9" in done.stderr


def test_ci_runs_what_a_developer_runs():
    text = (ROOT / ".ci/run").read_text(encoding="utf-8")

    assert text.rstrip().endswith("exec make test")
    assert os.access(ROOT / ".ci/run", os.X_OK)
