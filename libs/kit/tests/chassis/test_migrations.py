"""Migrations on a database, and as the SQL that they would run."""

from dataclasses import replace

import asyncpg
import pytest

from kantis_kit.db.migrate import SESSION, current, migrate, statements
from kantis_kit.testing.probe import SPEC

ENVIRONMENT = "from kantis_kit.db.environment import run\n\nrun()\n"
START = """
from alembic import op

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None


def upgrade():
    create_kit_tables()
    op.execute("CREATE TABLE parcel (id uuid PRIMARY KEY, label text)")


def downgrade():
    op.execute("DROP TABLE parcel")
    drop_kit_tables()
"""
INDEX = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS parcel_label ON parcel (label)")


def downgrade():
    op.execute("DROP INDEX parcel_label")
"""


@pytest.fixture
def spec(tmp_path):
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENVIRONMENT, encoding="utf-8")
    (folder / "versions" / "0001_parcels.py").write_text(START, encoding="utf-8")
    (folder / "versions" / "0002_index.py").write_text(INDEX, encoding="utf-8")
    return replace(SPEC, migrations=folder)


async def test_an_index_is_built_outside_of_a_transaction(rig_for, spec):
    rig = await rig_for(spec, start=False)
    owner = rig.service.settings.postgres_owner_dsn.get_secret_value()

    await migrate(owner, spec.migrations, to="-1")
    before = await current(owner)
    await migrate(owner, spec.migrations)

    assert ("0001", "0002") == (before, await current(owner))
    connection = await asyncpg.connect(owner)
    try:
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'parcel_label'::regclass"
        assert await connection.fetchval(valid)
    finally:
        await connection.close()


def test_the_sql_of_each_revision_is_told_apart_without_a_database(spec):
    (first, start), (second, index) = statements(spec.migrations)

    assert ("0001_parcels", "0002_index") == (first, second)
    assert "CREATE TABLE outbox" in start
    assert "CREATE TABLE parcel" in start
    assert "parcel_label" not in start
    assert "CREATE TABLE" not in index
    assert all(f"SET {name} = '{value}';" in index for name, value in SESSION.items())
    assert index.index("COMMIT;") < index.index("CONCURRENTLY") < index.rindex("BEGIN;")
