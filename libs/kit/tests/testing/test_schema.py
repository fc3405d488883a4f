"""What looks at a service's schema sees what is wrong with it."""

from dataclasses import replace

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, Uuid

from kantis_kit.testing.probe import SPEC
from kantis_kit.testing.schema import RULES_IN_SQL, schema_problems

ENVIRONMENT = "from kantis_kit.db.environment import run\n\nrun()\n"
REVISION = """
from alembic import op

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None


def upgrade():
    create_kit_tables()
    op.execute("CREATE TABLE parcel (id uuid PRIMARY KEY, label text NOT NULL)")
    op.execute("CREATE INDEX parcel_label ON parcel (label)")


def downgrade():
    {down}
    drop_kit_tables()
"""


def columns(**changed) -> list[Column]:
    wanted = {"id": Column("id", Uuid, primary_key=True), "label": label(String), **changed}
    return list(wanted.values())


def label(kind) -> Column:
    return Column("label", kind, nullable=False)


@pytest.fixture
def spec_of(tmp_path):
    def make(*modelled: Column, down: str = 'op.execute("DROP TABLE parcel")'):
        folder = tmp_path / "migrations"
        (folder / "versions").mkdir(parents=True)
        (folder / "env.py").write_text(ENVIRONMENT, encoding="utf-8")
        revision = REVISION.format(down=down)
        (folder / "versions" / "0001_parcels.py").write_text(revision, encoding="utf-8")
        metadata = MetaData()
        Table("parcel", metadata, *modelled)
        return replace(SPEC, migrations=folder, metadata=metadata)

    return make


@pytest.mark.parametrize("kind", [String, Text])
async def test_a_schema_as_its_models_say_has_no_problems(rig_for, spec_of, kind):
    rig = await rig_for(spec_of(*columns(label=label(kind))), start=False)

    assert [] == await schema_problems(rig.service, in_sql_alone=RULES_IN_SQL)


async def test_an_index_that_stands_in_the_migration_alone_is_seen_unless_it_is_meant(
    rig_for, spec_of
):
    rig = await rig_for(spec_of(*columns()), start=False)

    (found,) = await schema_problems(rig.service)
    assert "remove_index" in found


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"weight": Column("weight", BigInteger)}, "add_column"),
        ({"label": label(BigInteger)}, "modify_type"),
        ({"label": label(String(10))}, "modify_type"),
        ({"label": Column("label", String, nullable=True)}, "modify_nullable"),
    ],
)
async def test_what_the_models_say_otherwise_is_seen(rig_for, spec_of, changed, words):
    rig = await rig_for(spec_of(*columns(**changed)), start=False)

    (found,) = await schema_problems(rig.service, in_sql_alone=RULES_IN_SQL)
    assert words in found


async def test_a_table_that_the_way_down_forgets_is_seen(rig_for, spec_of):
    rig = await rig_for(spec_of(*columns(), down="pass"), start=False)

    assert ["the way down leaves parcel"] == await schema_problems(rig.service)
