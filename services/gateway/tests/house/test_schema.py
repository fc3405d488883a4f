"""The tables are what the models say, and the migrations can be undone."""

import pytest

from gateway.main import SPEC
from kantis_kit.testing.schema import RULES_IN_SQL, schema_problems
from kantis_kit.web.paging import encode_cursor


async def test_the_schema_goes_up_down_and_up_again_and_has_the_models_columns(rig_for):
    rig = await rig_for(SPEC, start=False)

    assert [] == await schema_problems(rig.service, in_sql_alone=RULES_IN_SQL)


@pytest.mark.parametrize("path", ["/v1/keys", "/v1/operations/gateway/spool"])
async def test_a_made_up_place_in_a_list_is_refused(rig_for, path):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await client.get(path, params={"cursor": encode_cursor("x")})

    assert (422, "cursor") == (answer.status_code, answer.json()["detail"][:6])
