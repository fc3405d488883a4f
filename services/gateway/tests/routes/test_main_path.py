"""A request with a key reaches its service as that key, whichever way the service is reached."""

import httpx


async def test_a_request_with_a_key_reaches_the_service_that_owns_the_path(world):
    key = await world.key("marketer")

    async with world.client(key) as client:
        made = await client.post("/v1/contacts", json={"name": "Kari"})
        listed = await client.get("/v1/contacts")

    assert (201, 200) == (made.status_code, listed.status_code), made.text
    assert ["Kari"] == [one["name"] for one in listed.json()]
    assert made.headers["location"] == f"/v1/contacts/{made.json()['id']}"


async def test_the_service_sees_the_keys_id_and_the_scopes_of_its_role(world):
    key = await world.key("viewer")

    async with world.client(key) as client:
        seen = (await client.get("/v1/contacts/echo?a=1&b=%C3%A6%20%2B")).json()

    pool = await world.gateway.database.pool()
    assert str(await pool.fetchval("SELECT id FROM api_key")) == seen["caller"]
    assert "contacts:read" in seen["scopes"]
    assert "contacts:write" not in seen["scopes"]
    assert seen["query"] == "a=1&b=%C3%A6%20%2B"


async def test_the_same_idempotency_key_gives_the_same_answer_through_the_gateway(world):
    key = await world.key()
    repeated = {"Idempotency-Key": "once"}

    async with world.client(key) as client:
        first = await client.post("/v1/contacts", json={"name": "Ola"}, headers=repeated)
        second = await client.post("/v1/contacts", json={"name": "Ola"}, headers=repeated)

    assert first.json() == second.json()
    assert "true" == second.headers["idempotency-replayed"]
    assert ["Ola"] == await world.names()


async def test_a_public_page_needs_no_key_and_has_no_identity(world):
    async with world.client() as client:
        answer = await client.get("/f/newsletter")

    assert 200 == answer.status_code
    assert "anonymous" == answer.json()["caller"]


async def test_a_large_import_streams_through(world):
    key = await world.key()
    chunk = b"name;address\n" * 5_000

    async def content():
        for _ in range(40):
            yield chunk

    async with world.client(key) as client:
        answer = await client.post(
            "/v1/imports", content=content(), headers={"Content-Type": "text/csv"}
        )

    assert {"bytes": 40 * len(chunk)} == answer.json()


async def test_a_service_that_is_away_is_a_problem_with_a_time_to_try_again(world):
    key = await world.key()
    for switch in world.switches.values():
        switch.away = True

    async with world.client(key) as client:
        answer = await client.get("/v1/orders")

    assert answer.status_code in (500, 503)


async def test_an_unknown_address_is_404(world):
    key = await world.key()

    async with world.client(key) as client:
        answers = [
            await client.get(path) for path in ("/v1/nothing", "/v2/orders", "/ordersx", "/v1")
        ]

    assert [404] * 4 == [answer.status_code for answer in answers]
    assert all(
        isinstance(a, httpx.Response) and "problem+json" in a.headers["content-type"]
        for a in answers
    )
