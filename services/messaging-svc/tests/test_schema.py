"""The tables are what the models say, and the migrations can be undone."""

from kantis_kit.testing.schema import RULES_IN_SQL, schema_problems
from messaging_svc.main import SPEC


async def test_the_schema_goes_up_down_and_up_again_and_has_the_models_columns(rig_for):
    rig = await rig_for(SPEC, start=False)

    assert [] == await schema_problems(rig.service, in_sql_alone=RULES_IN_SQL)
