"""From a request to an effect in a queue's handler, once."""

from kantis_kit.testing.probe import SPEC, ThingMadeV1


async def test_a_thing_made_by_http_has_its_effect_once_though_delivered_twice(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        answer = await client.post("/v1/things", json={"name": "lamp"})
    await rig.drain()

    assert answer.status_code == 201
    pool = await rig.service.database.pool()
    assert [("lamp", 1)] == [tuple(r) for r in await pool.fetch("SELECT name, times FROM effect")]
    assert ["lamp"] == [item.name for item in rig.items(ThingMadeV1)]
    assert 0 == await pool.fetchval("SELECT count(*) FROM outbox")
