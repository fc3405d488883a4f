"""The rules of the house that no other tool knows, read from the syntax tree.

    python tools/lint_kantis.py [FILE …]          without files: everything that git knows or would take
    python tools/lint_kantis.py --message FILE    the commit message in FILE

`tools/lint_allow.toml` lists exceptions (rule, path, reason); one that nothing needs any longer is itself a finding.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
ALLOWANCES = "tools/lint_allow.toml"

# Character classes keep this file from finding itself.
MACHINE = re.compile(
    r"(?<![\w.-])/(?:w[o]rk|f[a]rm|U[s]ers|h[o]me|r[o]ot)/[A-Za-z.]|/t[m]p/[a-z]"
    r"|p[y]pi\.org|files\.p[y]thonhosted\.org|registry\.n[p]mjs\.org|registry\.y[a]rnpkg\.com"
)
UNFINISHED = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X)\b|\bNotImplemented[E]rror\b")
MESSAGE = re.compile(
    r"(?:feat|fix|refactor|perf|test|docs|build|ci)\([a-z][a-z0-9-]*\)!?: [a-z].{0,98}[^.\s]"
)
SQL_CALLS = {"execute", "exec", "exec_driver_sql", "executemany", "fetch", "fetchrow", "fetchval"}
SQL_WORD = re.compile(
    r"\s*(?:select|insert|update|delete|with|merge|create|alter|drop|truncate|copy|lock|set|notify|listen)\s",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place that breaks one rule."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


Rule = Callable[[PurePosixPath, ast.AST], str | None]


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for a chain of names; an unnamed start counts as an empty name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def tail(name: str, parts: int = 2) -> str:
    """Return the last names of a dotted one: `datetime.datetime.now` gives `datetime.now`."""
    return ".".join(name.split(".")[-parts:])


@cache  # asked of each node of a file
def within(path: PurePosixPath, *places: str) -> bool:
    """Say whether the path is one of these files or lies in one of these folders."""
    return any(path.is_relative_to(place) for place in places)


@cache
def is_test(path: PurePosixPath) -> bool:
    """Say whether the file is test code, shared test code of the kit included."""
    return "tests" in path.parts or within(path, "libs/kit/src/kantis_kit/testing")


def commit(path: PurePosixPath, node: ast.AST) -> str | None:
    """Only the kit opens sessions and ends transactions."""
    if within(path, "libs/kit"):
        return None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in {"commit", "rollback"}:
            return (
                f"only the kit calls {node.func.attr}(): take WriteTx or ReadTx, the edge commits"
            )
    elif isinstance(node, ast.ImportFrom):
        opened = {"async_sessionmaker", "create_async_engine", "sessionmaker", "create_engine"}
        for name in sorted(opened & {alias.name for alias in node.names}):
            return f"only the kit opens a database: {name} is not for services"
    return None


def clock(path: PurePosixPath, node: ast.AST) -> str | None:
    """Nobody asks the machine what time it is."""
    if within(path, *(f"libs/kit/src/kantis_kit/{name}.py" for name in ("clock", "ids"))):
        return None
    machine = {
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.time",
        "time.time_ns",
    }
    if isinstance(node, ast.Call) and tail(dotted(node.func)) in machine:
        return f"{tail(dotted(node.func))}() asks the machine: use the injected Clock"
    if isinstance(node, ast.ImportFrom) and node.module == "time":
        for name in sorted({"time", "time_ns"} & {alias.name for alias in node.names}):
            return f"time.{name} asks the machine: use the injected Clock"
    return None


def naive(path: PurePosixPath, node: ast.AST) -> str | None:
    """A moment without a zone is not a moment."""
    del path
    if not isinstance(node, ast.Call):
        return None
    name, keywords = dotted(node.func), {keyword.arg for keyword in node.keywords}
    # Position of tzinfo among the arguments of each way to make a datetime.
    zone_at = {"datetime.fromtimestamp": 1, "datetime.combine": 2, "datetime.datetime": 7}.get(
        tail(name)
    )
    if name == "datetime":
        zone_at = 7
    if tail(name) in {"datetime.utcfromtimestamp", "datetime.utcnow"}:
        return f"{tail(name)}() is naive: give a time zone"
    if zone_at is None or len(node.args) > zone_at or keywords & {"tz", "tzinfo", None}:
        return None
    return f"{tail(name)}(…) without a time zone is naive: give tzinfo"


def sql(path: PurePosixPath, node: ast.AST) -> str | None:
    """SQL is built from columns, so that the type checker and the linter of imports can read it."""
    if within(path, "libs/kit", "benchmarks") or is_test(path) or "migrations" in path.parts:
        return None
    if not (isinstance(node, ast.Call) and node.args):
        return None
    name, first = dotted(node.func), node.args[0]
    literal = isinstance(first, ast.JoinedStr | ast.BinOp) or (
        isinstance(first, ast.Constant)
        and isinstance(first.value, str)
        and SQL_WORD.match(first.value)
    )
    if tail(name, 1) in SQL_CALLS and "." in name and literal:
        return f"SQL text in {tail(name, 1)}(): build it from columns, or list the file in {ALLOWANCES}"
    if name in {"text", "sa.text", "sqlalchemy.text", "sqlmodel.text"}:
        return f"SQL text: build it from columns, or list the file in {ALLOWANCES} with the reason"
    return None


def sleep(path: PurePosixPath, node: ast.AST) -> str | None:
    """A test waits for what it needs, not for a while."""
    if not is_test(path) or path.name == "waiting.py":
        return None
    if isinstance(node, ast.Call) and tail(dotted(node.func)) in {
        "asyncio.sleep",
        "time.sleep",
        "anyio.sleep",
    }:
        if node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0:
            return None  # gives way to other tasks, and waits for nothing
        return "no sleep in tests: use drain() or eventually()"
    return None


def skip(path: PurePosixPath, node: ast.AST) -> str | None:
    """A test that does not run proves nothing, and looks as if it did."""
    del path
    if isinstance(node, ast.Attribute):
        name = dotted(node)
        if re.fullmatch(r"pytest\.(skip|xfail|importorskip|mark\.(skip|skipif|xfail))", name):
            return f"{name}: a test runs or goes; what it needs is obtained or it fails"
    return None


def log(path: PurePosixPath, node: ast.AST) -> str | None:
    """Logs are structured, and made by the kit."""
    if not within(path, "services") or is_test(path):
        return None
    if isinstance(node, ast.Call) and dotted(node.func) in {"print", "logging.getLogger"}:
        return f"{dotted(node.func)}(): log through kantis_kit.observability, event name first"
    return None


RULES: tuple[Rule, ...] = (commit, clock, naive, sql, sleep, skip, log)
READ = (ast.Call, ast.ImportFrom, ast.Attribute)
"""What the rules look at: about a quarter of all nodes."""


def tree_findings(path: PurePosixPath, source: str) -> Iterator[Finding]:
    """Apply every rule to every node of a Python file that a rule reads."""
    for node in ast.walk(ast.parse(source, filename=str(path))):
        if not isinstance(node, READ):
            continue
        for rule in RULES:
            if message := rule(path, node):
                yield Finding(str(path), getattr(node, "lineno", 1), rule.__name__, message)


def text_findings(path: PurePosixPath, source: str) -> Iterator[Finding]:
    """Apply the rules that read lines."""
    lines = source.splitlines()
    for number, line in enumerate(lines, 1):
        if found := MACHINE.search(line):
            yield Finding(
                str(path), number, "machine", f"{found[0]!r} belongs to one machine or registry"
            )
        if path.suffix == ".py" and not is_test(path) and (found := UNFINISHED.search(line)):
            yield Finding(str(path), number, "unfinished", f"{found[0]} is work left undone")
    if path.suffix == ".py":
        limit = 600 if is_test(path) or "migrations" in path.parts else 400
        if len(lines) > limit:
            yield Finding(
                str(path),
                limit,
                "length",
                f"{len(lines)} lines, {limit} at most: it wants to be two files",
            )
        if path.name == "__init__.py" and "tests" in path.parts:
            yield Finding(
                str(path),
                1,
                "package",
                "no __init__.py under tests/: pytest would mix up equal names",
            )


def file_findings(path: str, source: str) -> list[Finding]:
    """Return every finding in one file, as if it lay at `path` in the repository."""
    where = PurePosixPath(path)
    found = list(text_findings(where, source))
    if where.suffix == ".py":
        found += tree_findings(where, source)
    return sorted(found)


def allowed(findings: Iterable[Finding], text: str, *, every_file: bool) -> list[Finding]:
    """Take away what the list of exceptions allows; add the exceptions that are stale or lack a reason."""
    left, listed = list(findings), tomllib.loads(text).get("allow", [])
    for entry in listed:
        rule, path, reason = (str(entry.get(key, "")) for key in ("rule", "path", "reason"))
        if len(reason) < len("a few words"):
            left.append(Finding(ALLOWANCES, 1, "allow", f"{rule} in {path} needs a reason"))
        kept = [one for one in left if (one.rule, one.path) != (rule, path)]
        if every_file and len(kept) == len(left):
            left.append(
                Finding(ALLOWANCES, 1, "allow", f"nothing in {path} breaks {rule} any longer")
            )
        else:
            left = kept
    return sorted(left)


def message_problem(text: str) -> str | None:
    """Say what is wrong with a commit message, or None."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    head = lines[0] if lines else ""
    if head.startswith(("Merge ", "Revert ")):
        return None
    if not MESSAGE.fullmatch(head):
        return (
            f"{head!r} is not 'type(scope): imperative summary' of at most 100 signs without a full stop;\n"
            "type is one of feat fix refactor perf test docs build ci, scope is a service or library"
        )
    if len(lines) > 1 and lines[1].strip():
        return (
            "leave the second line empty; the body says why, what was measured, what is not covered"
        )
    return None


def known_files() -> list[str]:
    """Return the files that git tracks or would take; without git, everything that is not hidden."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        return sorted(line for line in asked.stdout.splitlines() if (ROOT / line).is_file())
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return sorted(
        str(path) for path in paths if not any(part.startswith(".") for part in path.parts)
    )


def main(arguments: list[str]) -> int:
    """Print every finding; return 1 when there is one."""
    if arguments[:1] == ["--message"]:
        problem = message_problem(Path(arguments[1]).read_text(encoding="utf-8"))
        if problem:
            print(problem, file=sys.stderr)
        return int(problem is not None)
    findings: list[Finding] = []
    for name in arguments or known_files():
        try:
            source = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and fonts hold no rules
        findings += file_findings(name, source)
    text = (ROOT / ALLOWANCES).read_text(encoding="utf-8")
    findings = allowed(findings, text, every_file=not arguments)
    for finding in findings:
        print(finding)
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
