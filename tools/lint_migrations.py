"""Reads the SQL of every migration as PostgreSQL gets it, and refuses what stops or breaks a running service.

    python tools/lint_migrations.py [FOLDER …]     without folders: the migrations of every service

squawk knows what holds a lock for long (an index built in the transaction, a constraint that is checked at once, a
type that rewrites the table) and what breaks the version that still runs (a column or table dropped or renamed, a new
column that the old version does not fill). Do it in steps instead: add, let both versions write, fill, switch, remove.
Where a step is right all the same, its SQL says why in a comment, and in a line of its own which rule it sets aside:
`-- squawk-ignore ban-drop-column`.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kantis_kit.db.migrate import statements

ROOT = Path(__file__).resolve().parent.parent

POSTGRES = "16"
"""A version that is not newer than any that Kantis runs on: what only newer ones do quickly is refused."""

EXCLUDED = {
    "prefer-bigint-over-int": "counts of tries, percentages and versions stay small; keys are UUIDs",
    "prefer-text-field": "varchar(n) is in alembic's own table alone; ours say text",
    "require-statement-timeout": "filling a column may take its time, as nobody waits for it: lock_timeout sees to that",
}


def problems(folder: Path) -> list[str]:
    """Return what is dangerous in the migrations of a folder: where, which rule, what to do instead."""
    with tempfile.TemporaryDirectory() as place:
        files = []
        for name, sql in statements(folder):
            file = Path(place) / f"{name}.sql"
            file.write_text(sql, encoding="utf-8")
            files.append(file.name)
        found = _squawk(Path(place), files)
    return [
        f"{folder.parent.name} {one['file'].removesuffix('.sql')}: {one['rule_name']}: {one['message']}"
        + (f" {one['help']}" if one.get("help") else "")
        for one in found
    ]


def _squawk(place: Path, files: list[str]) -> list[dict[str, str]]:
    rules = [f"--exclude={rule}" for rule in EXCLUDED]
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("squawk")),
            "--reporter=json",
            f"--pg-version={POSTGRES}",
            *rules,
            *files,
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode not in {0, 1} or not run.stdout.strip():
        raise RuntimeError(f"squawk did not read the migrations: {run.stderr.strip()}")
    found: list[dict[str, str]] = json.loads(run.stdout)
    return found


def main(arguments: Iterable[str]) -> int:
    """Print what is dangerous; return 1 when there is something."""
    folders = [Path(one) for one in arguments] or sorted(ROOT.glob("services/*/migrations"))
    found = [one for folder in folders for one in problems(folder)]
    for one in found:
        print(one)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
