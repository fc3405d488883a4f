"""The recipes of the README work, in the files that they name and nothing else.

Each recipe is applied to a copy of the tree, as a newcomer would type it. The copy must then pass what the house asks
of every change: imports, our own rules, format, generated documents, canvases, and the recipe's own tests.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("libs", "services", "tools", "docs", "tests/architecture", "tests/contracts")
FILES = ("pyproject.toml", "conftest.py", "README.md")
LEFT_OUT = shutil.ignore_patterns(".*", "pictures", "decisions", "*.egg-info")
BLOCK = re.compile(
    r"^\*\*`(?P<path>[^`]+)`\*\*(?P<new> \(new\))?\n\n```(?P<kind>\w+)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
RECIPES = ("An event", "An endpoint", "A slice")
GENERATED = (
    "docs/events.md",
    "docs/asyncapi.json",
    "libs/contracts/schemas/orders.order.picked.v1.json",
    "libs/contracts/golden/orders.order.picked.v1/1.json",
)


@dataclass(frozen=True)
class Step:
    """One file of a recipe: its whole text when it is new, else the change as a diff."""

    path: str
    is_new: bool
    body: str


def recipe(name: str) -> list[Step]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split(f"\n### {name}\n", 1)[1]
    section = re.split(r"^##+ ", section, maxsplit=1, flags=re.MULTILINE)[0]
    steps = [Step(m["path"], bool(m["new"]), m["body"]) for m in BLOCK.finditer(section)]
    assert section.count("\n**`") == len(steps), "a step is not written as the others are"
    return steps


def changed(text: str, diff: str, path: str) -> str:
    """Apply a diff whose parts are parted by `@@`; each part must have exactly one place."""
    for part in re.split(r"^@@\n", diff, flags=re.MULTILINE):
        lines = part.splitlines(keepends=True)
        assert {line[0] for line in lines} <= {" ", "+", "-"}, f"{path}: {part}"
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        places = list(re.finditer(rf"^{re.escape(old)}", text, re.MULTILINE))
        assert 1 == len(places), f"{path} has not exactly one place for:\n{part}"
        text = text[: places[0].start()] + new + text[places[0].end() :]
    return text


def numbered(step: Step, tree: Path) -> Step:
    """Number a migration after the newest one there is, as the recipe says."""
    versions = (tree / step.path).parent
    newest = max(file.name[:4] for file in versions.glob("[0-9]*.py"))
    number = f"{int(newest) + 1:04}"
    body = re.sub(r'^revision = ".*"$', f'revision = "{number}"', step.body, flags=re.MULTILINE)
    body = re.sub(
        r'^down_revision = ".*"$', f'down_revision = "{newest}"', body, flags=re.MULTILINE
    )
    return Step(re.sub(r"/\d{4}_", f"/{number}_", step.path), step.is_new, body)


def apply(steps: Iterable[Step], tree: Path) -> list[str]:
    """Follow the steps in a copy of the tree; return the files that were touched."""
    touched = []
    for given in steps:
        step = numbered(given, tree) if "/migrations/versions/" in given.path else given
        file = tree / step.path
        if step.is_new:
            assert not file.exists(), f"{step.path} is there already"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step.body, encoding="utf-8")
        else:
            text = file.read_text(encoding="utf-8")
            file.write_text(changed(text, step.body, step.path), encoding="utf-8")
        touched.append(step.path)
    return touched


def reversed_diff(diff: str) -> str:
    return re.sub(r"^[+-]", lambda mark: "-+"["+-".index(mark[0])], diff, flags=re.MULTILINE)


def take_back(steps: Iterable[Step], tree: Path) -> bool:
    """Undo a recipe in a tree in which somebody has followed it; say whether somebody had."""
    steps = list(steps)
    new = {step.path: re.sub(r"/\d{4}_", "/????_", step.path) for step in steps if step.is_new}
    if not all(any(tree.glob(pattern)) for pattern in new.values()):
        return False
    for step in steps:
        if step.is_new:
            for file in list(tree.glob(new[step.path])):
                file.unlink()
            continue
        file = tree / step.path
        text = file.read_text(encoding="utf-8")
        file.write_text(changed(text, reversed_diff(step.body), step.path), encoding="utf-8")
    return True


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what a recipe can touch and what judges it."""
    for part in PARTS:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=LEFT_OUT)
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


class Newcomer:
    """Runs the tools of the house in the copy; nothing of the real tree is imported."""

    def __init__(self, tree: Path, postgres: str) -> None:
        self.tree = tree
        sources = [str(one) for one in sorted(tree.glob("*/*/src"))]
        self.environment = {
            **{name: value for name, value in os.environ.items() if "PYTEST" not in name},
            "PYTHONPATH": os.pathsep.join([*sources, str(tree / "tools")]),
            "KANTIS_TEST_POSTGRES_URL": postgres,
            "COLUMNS": "200",
        }

    def run(self, *command: str) -> str:
        program = Path(sys.executable).with_name(command[0])
        run = subprocess.run(
            [str(program), *command[1:]],
            cwd=self.tree,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"{' '.join(command)}\n{run.stdout}{run.stderr}"
        return run.stdout

    def begin_anew(self) -> None:
        """Take back what somebody has followed to the letter in the real tree: it is no reason to fail."""
        for name in reversed(RECIPES):
            if take_back(recipe(name), self.tree) and name == "An event":
                for generated in GENERATED[2:]:
                    (self.tree / generated).unlink(missing_ok=True)
                golden = (self.tree / GENERATED[-1]).parent
                if golden.is_dir():
                    golden.rmdir()
                self.run("python", "tools/event_docs.py")

    def check(self, touched: Iterable[str]) -> None:
        """Read the code as `make check` does; the types are left to it, they take too long."""
        python = [name for name in touched if name.endswith(".py")]
        self.run("ruff", "check", "--no-cache", *python)
        self.run("ruff", "format", "--no-cache", "--check", *python)
        self.run("python", "tools/lint_kantis.py", *touched)
        self.run("python", "tools/lint_migrations.py")
        self.run("lint-imports", "--no-logo", "--no-cache")

    def test(self, *what: str) -> str:
        return self.run("python", "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *what)  # fmt: skip


@pytest.fixture
def newcomer(copy: Path, postgres_server) -> Newcomer:
    somebody = Newcomer(copy, postgres_server.admin_dsn())
    somebody.begin_anew()
    return somebody


TRAVELS = '''
from sqlmodel import select

from analytics_svc.facts.model import FactRow
from analytics_svc.main import SPEC as ANALYTICS
from kantis_kit.tx import read
from orders_svc.main import SPEC as ORDERS


class Ours:
    """The rig as orders-svc has it when it is alone."""

    def __init__(self, rig):
        self.rig = rig
        self.service = rig.services["orders"]

    def client(self, **given):
        return self.rig.client("orders", **given)

    def __getattr__(self, name):
        return getattr(self.rig, name)


async def test_the_event_travels(rig_for, desk_of):
    rig = await rig_for(ORDERS, ANALYTICS)
    async with desk_of(Ours(rig)) as desk:
        await desk.ready("ABCDE2")
        answer = await desk.order(code="ABCDE2")
        await desk.client.post(f"/v1/orders/{answer['order_id']}/pick")
    await rig.drain()

    async with read(rig.services["analytics"].scope) as tx:
        facts = list(await tx.scalars(select(FactRow).where(FactRow.kind == "order")))
    assert [["picked", "placed"]] == [sorted(fact.marks) for fact in facts]
'''
# Both services at once: what the one stages in its transaction has its effect in the other.


def files_below(tree: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(tree)): file.read_bytes()
        for file in tree.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
    }


@pytest.mark.timeout(900)  # it sets up, generates and tests in processes of its own
def test_a_newcomer_adds_an_event_an_endpoint_and_a_slice(newcomer: Newcomer):
    before = files_below(newcomer.tree)
    touched = apply(recipe("An event"), newcomer.tree)
    newcomer.run("python", "tools/event_docs.py")
    after = files_below(newcomer.tree)

    assert {*touched, *GENERATED} == {
        name for name in after if after[name] != before.get(name, b"\0")
    }
    page = (newcomer.tree / "docs/events.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if "`orders.order.picked.v1`" in line]
    assert line.endswith("| orders-svc | `analytics.facts` |")

    touched = list(
        dict.fromkeys(
            [*touched, *apply([*recipe("An endpoint"), *recipe("A slice")], newcomer.tree)]
        )
    )
    newcomer.check(touched)
    travels = "services/orders-svc/tests/fulfilment/test_travels.py"
    (newcomer.tree / travels).write_text(TRAVELS, encoding="utf-8")
    newcomer.test(
        *(name for name in touched if "/tests/" in name),
        travels,
        "services/orders-svc/tests/test_service.py",
        "tests/contracts/test_event_documents.py",
        "tests/contracts/test_golden_events.py",
        "tests/architecture/test_canvas.py",
        "-k", "picked or travels or committed or by_number or notes or service or (canvas and (orders or analytics))",
    )  # fmt: skip


def test_recipes_that_were_followed_in_the_tree_can_be_followed_again(newcomer: Newcomer):
    before = files_below(newcomer.tree)
    for name in RECIPES:
        apply(recipe(name), newcomer.tree)
    newcomer.run("python", "tools/event_docs.py")
    assert before != files_below(newcomer.tree)

    newcomer.begin_anew()

    assert before == files_below(newcomer.tree)


def test_every_recipe_has_steps():
    assert all(len(recipe(name)) > 3 for name in RECIPES)


@pytest.mark.parametrize("place", ["one\n", "one\ntwo\none\ntwo\n"])
def test_a_diff_without_exactly_one_place_is_refused(place: str):
    with pytest.raises(AssertionError, match="exactly one place"):
        changed(place, " one\n+and a half\n two\n", "a.py")
