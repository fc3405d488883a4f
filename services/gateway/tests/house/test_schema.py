"""The tables are what the models say, and the migrations can be undone."""

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Text

from gateway.main import SPEC
from kantis_kit.db.migrate import migrate
from kantis_kit.db.tables import KIT_TABLES
from kantis_kit.web.paging import encode_cursor

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
KEPT_IN_SQL = {"remove_index", "remove_constraint"}  # rules that stand in the migration alone


def is_difference(found):
    if isinstance(found, list):
        # The models say str, the tables say text: the same to PostgreSQL.
        return any(
            not (kind == "modify_type" and isinstance(change[-2], Text)) for kind, *change in found
        )
    return found[0] not in KEPT_IN_SQL


async def test_the_schema_goes_up_down_and_up_again_and_has_the_models_columns(rig_for):
    rig = await rig_for(SPEC, start=False)
    owner = rig.service.settings.postgres_owner_dsn.get_secret_value()
    connection = await asyncpg.connect(owner)
    try:
        before = [row[0] for row in await connection.fetch(TABLES)]
        await migrate(owner, SPEC.migrations, to="base")
        empty = [row[0] for row in await connection.fetch(TABLES)]
        await migrate(owner, SPEC.migrations)
        after = [row[0] for row in await connection.fetch(TABLES)]
    finally:
        await connection.close()

    def is_ours(_object, name, kind, *_rest):
        return kind != "table" or not (name in KIT_TABLES or name.startswith("inbox"))

    def differences(sync_connection):
        context = MigrationContext.configure(sync_connection, opts={"include_object": is_ours})
        return compare_metadata(context, SPEC.metadata)

    async with rig.service.database.engine.connect() as engine_connection:
        found = await engine_connection.run_sync(differences)
    assert ["alembic_version"] == empty
    assert before == after
    assert [] == [one for one in found if is_difference(one)]


@pytest.mark.parametrize("path", ["/v1/keys", "/v1/operations/gateway/spool"])
async def test_a_made_up_place_in_a_list_is_refused(rig_for, path):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await client.get(path, params={"cursor": encode_cursor("x")})

    assert (422, "cursor") == (answer.status_code, answer.json()["detail"][:6])
