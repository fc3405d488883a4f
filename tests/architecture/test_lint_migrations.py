"""Migrations that would stop or break a running service are refused; each kind has a planted example."""

from pathlib import Path

import pytest

import lint_migrations

ENVIRONMENT = "from kantis_kit.db.environment import run\n\nrun()\n"
FIRST = """
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE parcel (id uuid PRIMARY KEY, label text)")
    op.execute("CREATE INDEX parcel_label ON parcel (label)")
"""
SECOND = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    {body}
"""


def service(root: Path, body: str) -> Path:
    """Make a service whose second migration does this."""
    folder = root / "parcels-svc" / "migrations"
    versions = folder / "versions"
    versions.mkdir(parents=True)
    (folder / "env.py").write_text(ENVIRONMENT, encoding="utf-8")
    (versions / "0001_start.py").write_text(FIRST, encoding="utf-8")
    (versions / "0002_more.py").write_text(SECOND.format(body=body), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("DROP TABLE parcel", "ban-drop-table"),
        ("ALTER TABLE parcel DROP COLUMN label", "ban-drop-column"),
        ("ALTER TABLE parcel RENAME COLUMN label TO sticker", "renaming-column"),
        ("ALTER TABLE parcel RENAME TO packet", "renaming-table"),
        ("ALTER TABLE parcel ADD COLUMN weight bigint NOT NULL", "adding-required-field"),
        ("ALTER TABLE parcel ALTER COLUMN label TYPE uuid USING label::uuid", "changing-column-type"),
        ("ALTER TABLE parcel ALTER COLUMN label SET NOT NULL", "adding-not-nullable-field"),
        ("ALTER TABLE parcel ADD CHECK (label <> '')", "constraint-missing-not-valid"),
        ("ALTER TABLE parcel ADD UNIQUE (label)", "disallowed-unique-constraint"),
        ("CREATE INDEX parcel_more ON parcel (label)", "require-concurrent-index-creation"),
        ("DROP INDEX parcel_label", "require-concurrent-index-deletion"),
        ("ALTER TABLE parcel ADD COLUMM weight bigint", "syntax-error"),
    ],
)  # fmt: skip
def test_a_dangerous_migration_is_refused_and_named(statement, rule, tmp_path, capsys):
    folder = service(tmp_path, f'op.execute("{statement}")')

    assert 1 == lint_migrations.main([str(folder)])
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if line.startswith(f"parcels-svc 0002_more: {rule}: ")]
    assert [] == [line for line in printed if "0001_start" in line]


@pytest.mark.parametrize(
    "body",
    [
        'op.execute("ALTER TABLE parcel ADD COLUMN weight bigint")',
        "op.execute(\"ALTER TABLE parcel ADD CHECK (label <> '') NOT VALID\")",
        'op.execute("CREATE TABLE box (id uuid PRIMARY KEY, label text NOT NULL)")',
        'op.execute("-- unread since 1.4\\n-- squawk-ignore ban-drop-column\\nALTER TABLE parcel DROP COLUMN label")',
        """with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS parcel_more ON parcel (label)")""",
    ],
)
def test_a_step_that_a_running_service_bears_is_welcome(body, tmp_path):
    assert [] == lint_migrations.problems(service(tmp_path, body))


def test_every_exclusion_is_still_needed(monkeypatch):
    folders = sorted(lint_migrations.ROOT.glob("services/*/migrations"))
    excluded = set(lint_migrations.EXCLUDED)
    monkeypatch.setattr(lint_migrations, "EXCLUDED", {})
    met = {line.split(": ")[1] for folder in folders for line in lint_migrations.problems(folder)}

    assert excluded == met


def test_the_migrations_of_the_house_are_harmless():
    assert 0 == lint_migrations.main([])
