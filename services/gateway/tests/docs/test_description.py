"""The description that is served, and what it says of services that come and go."""

from datetime import timedelta

from gateway.docs.merge import METHODS


async def test_all_services_are_in_one_description_with_working_examples(world):
    key = await world.key()

    async with world.client(key) as client:
        described = (await client.get("/openapi.json")).json()
        operation = described["paths"]["/v1/contacts"]["post"]
        example = operation["requestBody"]["content"]["application/json"]["example"]
        made = await client.post("/v1/contacts", json=example)

    assert {"/v1/contacts", "/v1/orders", "/v1/keys", "/v1/operations/gateway/spool"} <= described[
        "paths"
    ].keys()
    assert {"name": "Kari"} == example
    assert 201 == made.status_code
    assert [{"key": []}] == operation["security"]
    assert [{"url": "/"}] == described["servers"]


async def test_a_service_that_is_away_is_named_and_asked_again(world_for):
    world = await world_for()
    world.switches["orders"].away = True

    async with world.client() as client:
        partial = (await client.get("/openapi.json")).json()
        world.switches["orders"].away = False
        whole = (await client.get("/openapi.json")).json()
        world.switches["orders"].away = True
        kept = (await client.get("/openapi.json")).json()
        world.rig.clock.advance(timedelta(minutes=2))
        remembered = (await client.get("/openapi.json")).json()

    assert ["orders"] == partial["x-kantis-missing"]
    assert "/v1/orders" not in partial["paths"]
    assert "x-kantis-missing" not in whole
    assert whole["paths"].keys() == kept["paths"].keys() == remembered["paths"].keys()


async def test_an_answer_that_is_no_description_is_left_out(world_for):
    world = await world_for()

    async def odd(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<html>"})

    world.switches["orders"].app = odd
    async with world.client() as client:
        described = (await client.get("/openapi.json")).json()

    assert ["orders"] == described["x-kantis-missing"]


async def test_operation_ids_are_unique(world_for):
    world = await world_for()

    async with world.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]

    ids = [item[m]["operationId"] for item in paths.values() for m in METHODS if m in item]
    assert len(ids) == len(set(ids))
