"""Every import contract is kept by the house, and breaks when its rule is broken.

An architecture check that cannot fail protects nothing: so each contract meets planted violations, in a copy of the
tree to which two small slices were added, so that the patterns for slices always match something.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    one["id"]
    for one in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
}
SLICE = {
    "__init__": "",
    "errors": "",
    "schemas": "",
    "model": "import orders_svc.{slice}.schemas\nimport sqlmodel\n",
    "queries": "import orders_svc.{slice}.model\nimport sqlalchemy\n",
    "events": "import orders_svc.{slice}.model\nimport kantis_contracts\n",
    "clients": "import orders_svc.{slice}.schemas\n",
    "usecases": "import orders_svc.{slice}.queries\nimport orders_svc.{slice}.events\nimport kantis_kit.tx\n",
    "api": "import orders_svc.{slice}.usecases\nimport fastapi\n",
    "consumers": "import orders_svc.{slice}.usecases\n",
    "jobs": "import orders_svc.{slice}.usecases\n",
}


@dataclass(frozen=True)
class Planted:
    """One violation: a line at the end of a module (made when it is not there)."""

    contract: str
    module: str
    line: str

    def __str__(self) -> str:
        return f"{self.contract}: {self.module} says {self.line!r}"


PLANTED = [
    Planted("repo-layers", "orders_svc.one.usecases", "import contacts_svc"),
    Planted("repo-layers", "gateway.planted", "import orders_svc.one.schemas"),
    Planted("repo-layers", "orders_svc.one.usecases", "import kantis"),
    Planted("repo-layers", "kantis_kit.errors", "import messaging_svc"),
    Planted("repo-layers", "kantis_contracts.values", "import kantis_kit.errors"),
    Planted("kit-layers", "kantis_kit.errors", "import kantis_kit.outbox"),
    Planted("kit-layers", "kantis_kit.outbox", "import kantis_kit.inbox"),
    Planted("kit-layers", "kantis_kit.consumer", "import kantis_kit.relay"),
    Planted("kit-layers", "kantis_kit.tx", "import kantis_kit.web"),
    Planted("kit-layers", "kantis_kit.unplaced", ""),
    Planted("slice-layers", "orders_svc.one.model", "import orders_svc.one.usecases"),
    Planted("slice-layers", "orders_svc.one.schemas", "import orders_svc.one.model"),
    Planted("slice-layers", "orders_svc.one.queries", "import orders_svc.one.events"),
    Planted("slice-layers", "orders_svc.one.usecases", "import orders_svc.one.jobs"),
    Planted("slice-layers", "orders_svc.one.api", "import orders_svc.one.consumers"),
    Planted("no-cycles", "orders_svc.two.usecases", "import orders_svc.one.usecases"),
    Planted("doors-are-private", "orders_svc.two.usecases", "import orders_svc.one.api"),
    Planted("doors-are-private", "orders_svc.settings", "import orders_svc.one.jobs"),
    Planted("http-stays-at-the-door", "orders_svc.one.usecases", "import fastapi"),
    Planted("http-stays-at-the-door", "orders_svc.one.model", "import starlette.requests"),
    Planted("http-stays-at-the-door", "kantis_kit.tx", "import fastapi"),
    Planted("sql-stays-inside", "orders_svc.one.api", "from sqlalchemy import select"),
    Planted("sql-stays-inside", "orders_svc.one.consumers", "import sqlmodel"),
    Planted("one-rabbit-file", "kantis_kit.relay", "import aio_pika"),
    Planted("one-rabbit-file", "messaging_svc.planted", "from aio_pika import Message"),
    Planted("contracts-are-pure", "kantis_contracts.values", "import sqlalchemy"),
    Planted("contracts-are-pure", "kantis_contracts.base", "import fastapi"),
]


def write_slice(service: Path, name: str, extra: str = "") -> None:
    folder = service / name
    folder.mkdir()
    for module, text in SLICE.items():
        source = text.format(slice=name) + (extra if module == "usecases" else "")
        (folder / f"{module}.py").write_text(source, encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the house side by side, two small slices in orders_svc, and the configuration.

    One for all tests: what each plants is taken out again.
    """
    tree = tmp_path_factory.mktemp("copy")
    for package in [*ROOT.glob("libs/*/src/*"), *ROOT.glob("services/*/src/*")]:
        if package.is_dir():
            shutil.copytree(
                package, tree / package.name, ignore=shutil.ignore_patterns("__pycache__")
            )
    write_slice(tree / "orders_svc", "one", extra="import orders_svc.two.queries\n")
    write_slice(tree / "orders_svc", "two")
    main = tree / "orders_svc/main.py"
    main.write_text(
        "import orders_svc.one.api\nimport orders_svc.two.consumers\n", encoding="utf-8"
    )
    shutil.copy(ROOT / "pyproject.toml", tree)
    return tree


@contextmanager
def planted_in(tree: Path, planted: Planted) -> Iterator[None]:
    """Leave the tree as it was found, whatever the block finds."""
    base = tree.joinpath(*planted.module.split("."))
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    before = file.read_bytes() if file.exists() else None
    with file.open("a", encoding="utf-8") as source:
        source.write(f"\n{planted.line}\n")
    try:
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)


def lint_imports(
    folder: Path, *contracts: str, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    for contract in contracts:
        command += ["--contract", contract]
    environment = {
        **os.environ,
        "PYTHONPATH": str(path or ""),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "200",
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_house_keeps_every_contract():
    run = lint_imports(ROOT)

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in run.stdout


def test_the_copy_with_its_small_slices_keeps_every_contract(copy: Path):
    run = lint_imports(copy, path=copy)

    assert run.returncode == 0, run.stdout + run.stderr


def test_every_contract_meets_a_violation():
    assert {planted.contract for planted in PLANTED} == CONTRACTS


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_violation_breaks_its_contract(copy: Path, planted: Planted):
    with planted_in(copy, planted):
        run = lint_imports(copy, planted.contract, path=copy)

    assert run.returncode == 1
    assert "Contracts: 0 kept, 1 broken." in run.stdout, run.stdout + run.stderr
