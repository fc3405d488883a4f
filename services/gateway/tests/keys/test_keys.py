"""Keys: shown once, stored as a hash, refused everywhere within seconds of their end."""

import asyncio
import json
from datetime import timedelta

import pytest

from gateway.keys.model import digest_of, prefix_of
from gateway.keys.roles import SCOPES, Role, scopes_of
from gateway.keys.usecases import create_key
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import issue_token
from kantis_kit.signing import Keys, make_keys
from kantis_kit.tx import write


async def test_a_new_key_is_shown_once_and_stored_nowhere(world_for):
    world = await world_for()
    key = await world.key()

    async with world.client(key) as client:
        made = (await client.post("/v1/keys", json={"role": "viewer", "name": "Wall"})).json()
        listed = (await client.get("/v1/keys")).text

    pool = await world.gateway.database.pool()
    rows = [tuple(row) for row in await pool.fetch("SELECT * FROM api_key")]
    assert made["key"].startswith(f"kantis_{made['prefix']}_")
    assert made["key"].split("_", 2)[2] not in listed + str(rows)
    assert digest_of(made["key"]) in [value for row in rows for value in row]


async def test_a_repeated_creation_makes_one_key_and_its_stored_answer_holds_no_key(world_for):
    world = await world_for()
    key = await world.key()
    once = {"Idempotency-Key": "make"}
    wanted = {"role": "viewer", "name": "Wall"}

    async with world.client(key) as client:
        first = (await client.post("/v1/keys", json=wanted, headers=once)).json()
        second = (await client.post("/v1/keys", json=wanted, headers=once)).json()

    pool = await world.gateway.database.pool()
    stored = await pool.fetchval("SELECT body FROM idempotency")
    assert first["key"]
    assert {**first, "key": None} == second == json.loads(stored)
    assert 2 == await pool.fetchval("SELECT count(*) FROM api_key")


async def test_making_and_revoking_keys_is_in_the_audit_log_and_the_chain_holds(world_for):
    world = await world_for()
    key = await world.key()

    async with world.client(key) as client:
        made = (await client.post("/v1/keys", json={"role": "site", "name": "Shop"})).json()
        await client.delete(f"/v1/keys/{made['id']}")
        state = (await client.get("/v1/operations/gateway/audit")).json()

    pool = await world.gateway.database.pool()
    actions = [row["action"] for row in await pool.fetch("SELECT action FROM audit ORDER BY seq")]
    assert {"key.created", "key.revoked"} <= set(actions)
    assert state["whole"]
    assert made["key"] not in str([tuple(row) for row in await pool.fetch("SELECT * FROM audit")])


async def test_a_revoked_key_is_refused_within_two_seconds(world_for):
    world = await world_for()
    administrator, key = await world.key(), await world.key("viewer")

    async with world.client(key) as client, world.client(administrator) as admin:
        before = await client.get("/v1/contacts")
        rows = (await admin.get("/v1/keys")).json()["items"]
        (row,) = [row for row in rows if row["role"] == "viewer"]
        revoked = await admin.delete(f"/v1/keys/{row['id']}")
        again = await admin.delete(f"/v1/keys/{row['id']}")
        world.rig.clock.advance(timedelta(seconds=2))
        after = [await client.get(path) for path in ("/v1/contacts", "/v1/orders", "/v1/keys")]

    assert 200 == before.status_code
    assert revoked.json()["revoked_at"] == again.json()["revoked_at"] is not None
    assert [401, 401, 401] == [answer.status_code for answer in after]


async def test_a_key_ends_at_its_time_even_while_it_is_remembered(world_for):
    world = await world_for()
    ends = world.rig.clock.now() + timedelta(seconds=1)
    key = await world.key("viewer", expires_at=ends)

    async with world.client(key) as client:
        before = await client.get("/v1/contacts")
        world.rig.clock.advance(timedelta(seconds=1))
        after = await client.get("/v1/contacts")

    assert (200, 401) == (before.status_code, after.status_code)


async def test_revoking_an_unknown_key_is_404(world_for):
    world = await world_for()
    async with world.client(await world.key()) as client:
        answer = await client.delete("/v1/keys/01930000-0000-7000-8000-000000000000")

    assert 404 == answer.status_code


async def test_use_is_noted_once_a_minute(world_for):
    world = await world_for()
    key = await world.key("viewer")
    pool = await world.gateway.database.pool()

    async def noted():
        return await pool.fetchval("SELECT last_used_at FROM api_key")

    async with world.client(key) as client:
        await client.get("/v1/contacts")
        first = await noted()
        world.rig.clock.advance(timedelta(seconds=30))
        await client.get("/v1/contacts")
        second = await noted()
        world.rig.clock.advance(timedelta(seconds=30))
        await client.get("/v1/contacts")
        third = await noted()

    assert first == second == third - timedelta(seconds=60)


def _variants(good: str) -> list[str]:
    prefix = prefix_of(good)
    return [
        "x",
        "kantis_",
        f"kantis_{prefix}_",
        f"kantis_{prefix}_{'A' * 43}",
        good[:-1],
        good + "A",
        good.upper(),
        good.replace("kantis", "Kantis"),
        "kantis_" + "0" * 12 + "_" + good.split("_", 2)[2],
        "é" * 20,
        "kantis_" + "x" * 5_000,
    ]


async def test_keys_that_are_not_good_are_refused_in_the_same_words(world_for):
    world = await world_for("in-process", attempt_limit="100/minute")
    good = await world.key("viewer")
    revoked = await world.key("viewer")
    pool = await world.gateway.database.pool()
    await pool.execute(
        "UPDATE api_key SET revoked_at = now() WHERE prefix = $1", prefix_of(revoked)
    )

    bodies, statuses = set(), set()
    for variant in [*_variants(good), revoked]:
        async with world.client() as client:
            header = b"Bearer " + variant.encode("latin-1", "replace")
            answer = await client.get("/v1/contacts", headers={b"authorization": header})
        told = answer.json()
        told.pop("correlation_id")
        bodies.add(json.dumps(told))
        statuses.add(answer.status_code)
        assert "www-authenticate" in answer.headers

    assert {401} == statuses
    assert 1 == len(bodies)
    assert 0 == world.switches["contacts"].calls


@pytest.mark.parametrize(
    "header", ["", "Basic eDp5", "Bearer", "Bearer ", "bearer", "Token abc", "kantis_a_b"]
)
async def test_without_a_key_there_is_401_and_a_hint(world_for, header):
    world = await world_for()

    async with world.client() as client:
        answer = await client.get("/v1/contacts", headers={"Authorization": header})

    assert 401 == answer.status_code
    assert 'Bearer realm="kantis"' == answer.headers["www-authenticate"]
    assert "kantis_" in answer.json()["detail"]


async def test_tokens_of_the_gateway_are_no_keys(world_for):
    world = await world_for()
    token = world.rig.token("contacts")

    async with world.client(token) as client:
        answer = await client.get("/v1/contacts")

    assert 401 == answer.status_code
    assert 0 == world.switches["contacts"].calls


async def test_a_service_refuses_tokens_that_were_not_made_for_it_by_the_gateway(
    world_for, tmp_path
):
    world = await world_for()
    now, anybody = world.rig.clock.now(), Principal("x", "x", frozenset({"*"}))
    make_keys(tmp_path / "other", ("gateway",))
    forged = issue_token(
        Keys.load(tmp_path / "other", "gateway"), anybody, audience="contacts", now=now
    )
    ours = Keys.load(world.rig.keys_dir, "gateway")
    head, payload, signature = issue_token(ours, anybody, audience="contacts", now=now).split(".")
    unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    tokens = [
        forged,
        issue_token(ours, anybody, audience="orders", now=now),
        issue_token(ours, anybody, audience="contacts", now=now - timedelta(minutes=5)),
        issue_token(ours, anybody, audience="contacts", now=now + timedelta(minutes=5)),
        f"{unsigned}.{payload}.",
        f"{head}.{payload}.{signature[:-4]}AAAA",
        "",
    ]

    async with world.rig.anonymous("contacts") as client:
        answers = [
            await client.get("/v1/contacts", headers={"Authorization": f"Bearer {token}"})
            for token in tokens
        ]

    assert [401] * len(tokens) == [answer.status_code for answer in answers]


async def test_jwks_publishes_the_key_that_signs(world_for):
    world = await world_for()

    async with world.client() as client:
        (key,) = (await client.get("/.well-known/jwks.json")).json()["keys"]

    assert ("OKP", "Ed25519", "sig") == (key["kty"], key["crv"], key["use"])
    assert "d" not in key


async def test_a_thousand_guesses_from_one_address_cost_ten_look_ups(world_for, monkeypatch):
    world = await world_for(ip_limit="100000/minute")
    looked_up = []
    gate = world.app._gate
    original = gate._look_up

    async def counted(key, digest):
        looked_up.append(key)
        return await original(key, digest)

    monkeypatch.setattr(gate, "_look_up", counted)

    async def guess(number):
        async with world.client(f"kantis_{number:012x}_{'A' * 43}") as client:
            return (await client.get("/v1/contacts")).status_code

    # A hundred at once: a thousand tasks would starve the ten look-ups of this very loop until they time out.
    statuses = [
        status
        for first in range(0, 1_000, 100)
        for status in await asyncio.gather(*(guess(first + number) for number in range(100)))
    ]

    assert 10 == len(looked_up) == statuses.count(401)
    assert 990 == statuses.count(429)


async def test_guessing_locks_nobody_out_for_long_and_no_known_key_at_all(world_for):
    world = await world_for()
    known, fresh = await world.key("viewer"), await world.key("viewer")
    async with world.client(known) as client:
        assert 200 == (await client.get("/v1/contacts")).status_code
    for number in range(12):
        async with world.client(f"kantis_{number:012x}_{'A' * 43}") as client:
            last = await client.get("/v1/contacts")

    world.rig.clock.advance(timedelta(seconds=3))
    async with world.client(known) as one, world.client(fresh) as two:
        still = await one.get("/v1/contacts")
        refused = await two.get("/v1/contacts")
        world.rig.clock.advance(timedelta(minutes=2))
        later = await two.get("/v1/contacts")

    assert 429 == last.status_code
    assert int(last.headers["retry-after"]) > 0
    assert (200, 429, 200) == (still.status_code, refused.status_code, later.status_code)


async def test_many_requests_at_once_with_a_new_key_are_one_attempt(world_for):
    world = await world_for()
    key = await world.key("viewer")

    async def ask():
        async with world.client(key) as client:
            return (await client.get("/v1/contacts")).status_code

    assert [200] * 30 == await asyncio.gather(*(ask() for _ in range(30)))


async def test_when_the_keys_cannot_be_read_nobody_passes(world_for, monkeypatch):
    world = await world_for()
    key = await world.key()

    def away():
        raise ConnectionRefusedError

    monkeypatch.setattr(world.gateway.database, "sessions", away)
    monkeypatch.setattr(world.app._gate._scope.database, "sessions", away)
    async with world.client(key) as client:
        answer = await client.get("/v1/contacts")

    assert 503 == answer.status_code
    assert "retry-after" in answer.headers
    assert 0 == world.switches["contacts"].calls


async def test_a_key_cannot_make_a_key_that_may_more(world_for):
    world = await world_for()
    caller = Principal("x", "x", frozenset({"keys:*", "contacts:read"}))

    from gateway.keys.errors import MoreThanYouHave

    async with write(world.gateway.scope) as tx:
        with pytest.raises(MoreThanYouHave):
            await create_key(tx, "administrator", "more", caller=caller)
        with pytest.raises(MoreThanYouHave):
            await create_key(tx, "viewer", "more", caller=caller)
        with pytest.raises(ValueError, match="emperor"):
            await create_key(tx, "emperor", "none")


def test_only_administrators_may_touch_keys_and_every_role_has_scopes():
    for role in Role:
        principal = Principal("x", "x", SCOPES[role])
        assert SCOPES[role]
        assert (role is Role.ADMINISTRATOR) == principal.may("keys:write")
    assert frozenset() == scopes_of("emperor")


def test_a_viewer_may_write_nothing():
    viewer = Principal("x", "x", SCOPES[Role.VIEWER])

    for service in ("contacts", "campaign", "orders", "messaging", "analytics", "operations"):
        assert not viewer.may(f"{service}:write")


async def test_a_good_key_is_no_attempt_while_nobody_can_look_it_up(world_for):
    world = await world_for("in-process", attempt_limit="3/minute", key_cache_seconds=0)
    fresh, known = await world.key(), await world.key()
    database = world.gateway.scope.database
    here = database.sessions

    async with world.client(fresh) as mine, world.client(known) as theirs:
        before = await theirs.get("/v1/contacts/echo")

        def away():
            raise ConnectionRefusedError

        database.sessions = away
        meanwhile = {
            (await client.get("/v1/contacts/echo")).status_code
            for client in (mine, theirs)
            for _ in range(6)
        }
        database.sessions = here
        after = [await client.get("/v1/contacts/echo") for client in (mine, theirs)]

    assert 200 == before.status_code
    assert {503} == meanwhile
    assert [200, 200] == [answer.status_code for answer in after]
