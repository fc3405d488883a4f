"""Each member imports only what it declares itself, although the workspace would let it import anything.

python tools/check_dependencies.py [MEMBER …]      without members: all of libs/ and services/
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The chassis gives these to everyone who has it: their versions are the kit's affair.
CHASSIS = (
    "fastapi",
    "starlette",
    "pydantic",
    "pydantic_settings",
    "sqlalchemy",
    "sqlmodel",
    "alembic",
)
# DEP002 (declared, never imported) stays out: uvloop, greenlet and drivers work without an import.
UNASKED = "DEP002"


def problems(member: Path) -> str:
    """Return what deptry says of one member, empty when it is content."""
    given = (
        [*CHASSIS, "pytest", "typst"] if member.name == "kit" else list(CHASSIS)
    )  # kantis_kit.testing is for tests
    command = [
        str(Path(sys.executable).with_name("deptry")),
        "src",
        "--no-ansi",
        "--ignore",
        UNASKED,
        "--per-rule-ignores",
        f"DEP003={'|'.join(given)}",
    ]
    run = subprocess.run(command, cwd=member, capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


def main(arguments: list[str]) -> int:
    """Print what is wrong with each member; return 1 when there is something."""
    files = [*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]
    members = [Path(one) for one in arguments] or sorted(file.parent for file in files)
    failed = False
    for member in members:
        if found := problems(member):
            failed = True
            print(f"{member.name} imports what its pyproject.toml does not declare:\n{found}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
