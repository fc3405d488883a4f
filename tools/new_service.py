"""Makes the skeleton of a service: `make new-service name=loyalty-svc`.

What other people's files must say about it stays with the hand that adds it: the list is printed, and
`tests/architecture` fails until all agree.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*-svc")

FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
  "kantis-kit",
  "kantis-contracts",
]

[tool.hatch.build.targets.wheel]
packages = ["src/{package}"]

[tool.uv.sources]
kantis-kit = {{ workspace = true }}
kantis-contracts = {{ workspace = true }}
""",
    "README.md": """\
# {name}

One sentence: what would be missing without this service.

## Owns

- nothing yet

## API

## Publishes

## Consumes

## Promises

- nothing yet
""",
    "migrations/env.py": '''\
"""Migrations of {name}."""

from kantis_kit.db.environment import run

run()
''',
    "migrations/versions/0001_start.py": '''\
"""The chassis' tables."""

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make what every service has."""
    create_kit_tables()


def downgrade() -> None:
    """Take it away again."""
    drop_kit_tables()
''',
    "src/{package}/__init__.py": "",
    "src/{package}/py.typed": "",
    "src/{package}/settings.py": '''\
"""What {name} can be told from outside."""

from kantis_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """The knobs of {name}, with units in their names."""
''',
    "src/{package}/main.py": '''\
"""Composition root of {name}: settings, routes, subscriptions and jobs become a service."""

from pathlib import Path

from kantis_kit.service import ServiceSpec
from {package}.settings import Settings

SPEC = ServiceSpec(
    name="{word}",
    title="{title}",
    settings=Settings,
    migrations=Path(__file__).resolve().parents[2] / "migrations",
)
''',
    "tests/test_main.py": '''\
"""The service is put together from its parts."""

from {package}.main import SPEC


def test_the_migrations_lie_where_the_service_says():
    assert (SPEC.migrations / "env.py").is_file()
''',
    "tests/test_schema.py": '''\
"""The tables are what the models say, and the migrations can be undone."""

from kantis_kit.testing.schema import schema_problems
from {package}.main import SPEC


async def test_the_schema_goes_up_down_and_up_again_and_has_the_models_columns(rig_for):
    rig = await rig_for(SPEC, start=False)

    assert [] == await schema_problems(rig.service)
''',
}

BY_HAND = """\
Made services/{name}. Now by hand (tests/architecture fails until all agree):
  pyproject.toml              project.dependencies, tool.uv.sources, coverage, and the import-linter lists: {package}
  libs/kantis/pyproject.toml  dependencies: {name}; and its line in registry.py
  libs/contracts              SERVICES in base.py: "{word}", when it publishes
  docker-compose.yml          the service, its database role and its broker user
  services/gateway            its routes
  services/{name}/README.md   the canvas, as the code grows
Then:  make lock && make test
"""


def skeleton(name: str) -> dict[str, str]:
    """Return the files of a new service by their path under services/<name>."""
    word = name.removesuffix("-svc")
    words = {
        "name": name,
        "package": name.replace("-", "_"),
        "word": word.replace("-", "_"),
        "title": word.replace("-", " ").capitalize(),
    }
    return {path.format(**words): text.format(**words) for path, text in FILES.items()}


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write the skeleton; refuse a name that is not one, or that is taken."""
    name = arguments[0] if arguments else ""
    if not NAME.fullmatch(name):
        print(
            f"{name!r} is no name for a service; say for instance  make new-service name=loyalty-svc",
            file=sys.stderr,
        )
        return 1
    folder = root / "services" / name
    if folder.exists():
        print(f"services/{name} is there already", file=sys.stderr)
        return 1
    for path, text in skeleton(name).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    print(
        BY_HAND.format(name=name, package=name.replace("-", "_"), word=name.removesuffix("-svc")),
        end="",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
