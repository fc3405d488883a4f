"""The edge: policies, problems, one effect per idempotency key, nothing answered that was not committed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import Response
from sqlalchemy import text

from kantis_kit import audit, failpoints
from kantis_kit.auth.policy import Policy, needs, public
from kantis_kit.service import Service
from kantis_kit.testing.probe import SPEC, ThingIn, ThingOut, make_thing
from kantis_kit.tx import read, write
from kantis_kit.web.app import create_api
from kantis_kit.web.deps import Write
from kantis_kit.web.router import Router, RouteWithoutPolicy
from kantis_kit.web.state import WebRuntime


@pytest.fixture(autouse=True)
def _disarm():
    yield
    failpoints.disarm_all()


async def count(rig, table="thing"):
    async with read(rig.service.scope) as tx:
        return await tx.scalar(text(f"SELECT count(*) FROM {table}"))


async def test_a_commit_that_fails_is_not_answered_with_success(rig_for):
    rig = await rig_for(SPEC, start=False)
    failpoints.arm("tx.before_commit", "raise")

    async with rig.client() as client:
        answer = await client.post("/v1/things", json={"name": "lost"})

    assert 500 == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert 0 == await count(rig)


async def test_a_refusal_leaves_nothing_behind(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.post(
            "/v1/things", json={"name": "taken"}, headers={"Idempotency-Key": "k"}
        )
        again = await client.post(
            "/v1/things", json={"name": "fine"}, headers={"Idempotency-Key": "k"}
        )

    assert (409, "urn:kantis:problem:name-taken") == (answer.status_code, answer.json()["type"])
    assert 201 == again.status_code
    assert 1 == await count(rig)


async def test_twenty_requests_at_once_and_one_a_day_later_have_one_effect_and_one_answer(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answers = await asyncio.gather(
            *(
                client.post("/v1/things", json={"name": "one"}, headers={"Idempotency-Key": "k"})
                for _ in range(20)
            )
        )

    rig.clock.advance(timedelta(hours=25))
    async with rig.client() as client:
        answers.append(
            await client.post("/v1/things", json={"name": "one"}, headers={"Idempotency-Key": "k"})
        )

    assert {201} == {a.status_code for a in answers}
    assert 1 == len({a.content for a in answers})
    assert 1 == len({a.headers["location"] for a in answers})
    assert 1 == await count(rig)
    assert 1 == await count(rig, "outbox")


async def test_the_same_key_with_another_body_is_refused(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        await client.post("/v1/things", json={"name": "one"}, headers={"Idempotency-Key": "k"})
        other = await client.post(
            "/v1/things", json={"name": "two"}, headers={"Idempotency-Key": "k"}
        )

    assert (422, "urn:kantis:problem:idempotency-mismatch") == (
        other.status_code,
        other.json()["type"],
    )
    assert 1 == await count(rig)


async def test_another_caller_with_the_same_key_gets_an_effect_of_its_own(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client(caller="a") as a, rig.client(caller="b") as b:
        first = await a.post("/v1/things", json={"name": "one"}, headers={"Idempotency-Key": "k"})
        second = await b.post("/v1/things", json={"name": "one"}, headers={"Idempotency-Key": "k"})

    assert first.json()["id"] != second.json()["id"]


async def test_visitors_with_one_key_get_answers_of_their_own_and_a_repetition_its_first_one(
    rig_for,
):
    router = Router(prefix="/v1/open-things")

    @router.post("", policy=public("visitors leave things"), status_code=201)
    async def leave_thing(body: ThingIn, tx: Write, response: Response) -> ThingOut:
        return await make_thing(body, tx, response)

    rig = await rig_for(replace(SPEC, routers=[router]), start=False)
    key = {"Idempotency-Key": "the same for all"}

    async with rig.anonymous() as visitor:
        first, again, other = [
            await visitor.post("/v1/open-things", json={"name": name}, headers=key)
            for name in ("one", "one", "two")
        ]

    assert {201} == {answer.status_code for answer in (first, again, other)}
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    assert "true" == again.headers["idempotency-replayed"]
    assert 2 == await count(rig)


async def test_a_change_that_is_sent_again_with_its_key_has_one_effect_and_its_first_answer(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        path = (await client.post("/v1/things", json={"name": "one"})).headers["location"]

        async def rename(key, name="two", version=1):
            sent = {"If-Match": f'"{version}"'} | ({"Idempotency-Key": key} if key else {})
            return await client.patch(path, json={"name": name}, headers=sent)

        first, again = await rename("k"), await rename("k")
        bare = await rename("")
        other_version, other_body = await rename("k", version=2), await rename("k", "three")
        mended = await rename("a new key", "three", version=2)

    assert (200, 200, first.content) == (first.status_code, again.status_code, again.content)
    assert "true" == again.headers["idempotency-replayed"]
    assert 412 == bare.status_code
    assert [422, 422] == [one.status_code for one in (other_version, other_body)]
    assert (200, 3) == (mended.status_code, mended.json()["version"])
    assert 2 == await count(rig, "audit")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_repeated_replacement_or_removal_with_its_key_is_done_once(rig_for, method):
    router = Router(prefix="/v1/things-once")

    @router.declare(method, "", policy=needs("things:write"), status_code=204)
    async def once(tx: Write) -> None:
        await tx.execute(text("INSERT INTO thing (id, name) VALUES (gen_random_uuid(), 'x')"))

    rig = await rig_for(replace(SPEC, routers=[router]), start=False)
    async with rig.client() as client:
        answers = [
            await client.request(method, "/v1/things-once", headers={"Idempotency-Key": "k"})
            for _ in range(2)
        ]

    assert [204, 204] == [answer.status_code for answer in answers]
    assert 1 == await count(rig)


async def test_the_answer_survives_a_crash_after_the_commit(rig_for):
    rig = await rig_for(SPEC, start=False)
    failpoints.arm("web.answered", "raise", nth=1)

    async with rig.client() as client:
        lost = await client.post(
            "/v1/things", json={"name": "one"}, headers={"Idempotency-Key": "k"}
        )
        replayed = await client.post(
            "/v1/things", json={"name": "one"}, headers={"Idempotency-Key": "k"}
        )

    assert 500 == lost.status_code
    assert (201, "true") == (replayed.status_code, replayed.headers["idempotency-replayed"])
    assert 1 == await count(rig)


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
async def test_an_unusable_idempotency_key_is_refused(rig_for, key):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.post(
            "/v1/things", json={"name": "one"}, headers={"Idempotency-Key": key}
        )

    assert 422 == answer.status_code


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x", "role": "administrator"}, "role"),
        ({"name": "a\x00b"}, "NUL"),
        ([1], "body"),
    ],
)
async def test_malformed_input_is_answered_with_what_and_where(rig_for, body, where):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        answer = await client.post("/v1/things", json=body)

    assert (422, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert where in answer.text
    assert 0 == await count(rig)


async def test_what_is_not_json_is_a_problem_not_a_failure(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        broken = await client.post(
            "/v1/things", content=b"{", headers={"Content-Type": "application/json"}
        )
        huge = await client.post("/v1/things", json={"name": "x" * 2_000_000})
        method = await client.put("/v1/things", json={})
        absent = await client.get("/v1/nothing")

    assert [422, 413, 405, 404] == [a.status_code for a in (broken, huge, method, absent)]
    assert "GET, POST" == method.headers["allow"]  # two routes, one path
    for answer in (broken, huge, method, absent):
        assert "application/problem+json" == answer.headers["content-type"]


async def test_without_a_good_token_nothing_is_answered(rig_for):
    rig = await rig_for(SPEC, start=False)
    elsewhere = rig.token("orders")
    good = rig.token("probe")
    head, body, signature = good.split(".")
    forged = [
        "",
        "nonsense",
        elsewhere,
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"eyJhbGciOiJub25lIn0.{body}.",
    ]

    async with rig.anonymous() as client:
        answers = [
            await client.get(
                "/v1/things", headers={"Authorization": f"Bearer {token}"} if token else {}
            )
            for token in forged
        ]

    assert {401} == {a.status_code for a in answers}


async def test_an_old_token_is_refused(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        assert 200 == (await client.get("/v1/things")).status_code
        rig.clock.advance(timedelta(minutes=5))
        assert 401 == (await client.get("/v1/things")).status_code


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (["things:read"], 200, 403),
        (["things:write"], 200, 201),
        (["things:*"], 200, 201),
        (["orders:*"], 403, 403),
        ([], 403, 403),
    ],
)
async def test_scopes_decide_what_a_key_may_do(rig_for, scopes, reads, writes):
    rig = await rig_for(SPEC, start=False)

    async with rig.client(scopes=scopes) as client:
        assert reads == (await client.get("/v1/things")).status_code
        assert writes == (await client.post("/v1/things", json={"name": "x"})).status_code


def test_a_route_without_a_policy_is_refused_at_its_declaration():
    router = Router()

    with pytest.raises(RouteWithoutPolicy):
        router.get("/open")


async def test_a_route_smuggled_past_the_router_is_refused_at_the_start(rig_for):
    from fastapi import APIRouter

    rig = await rig_for(SPEC, start=False)
    service: Service = rig.service
    plain = APIRouter()

    async def show():
        return {}

    plain.add_api_route("/open", show, methods=["GET"])

    with pytest.raises(RouteWithoutPolicy):
        create_api(
            WebRuntime("probe", service.scope, None, None),
            [plain],
            title="x",
            version="1",
            max_body_bytes=10,
        )


def test_a_policy_says_either_who_or_why():
    with pytest.raises(TypeError):
        Policy()
    with pytest.raises(TypeError):
        Policy(scope="a:b", public_reason="c")
    assert "a:b" == needs("a:b").label


async def test_a_change_needs_the_version_that_was_read(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.client() as client:
        path = (await client.post("/v1/things", json={"name": "old"})).headers["location"]
        tag = (await client.get(path)).headers["etag"]
        missing = await client.patch(path, json={"name": "new"})
        good = await client.patch(path, json={"name": "new"}, headers={"If-Match": tag})
        stale = await client.patch(path, json={"name": "newer"}, headers={"If-Match": tag})
        shown = await client.get(path)

    assert [422, 200, 412] == [a.status_code for a in (missing, good, stale)]
    assert ("new", 2) == (shown.json()["name"], shown.json()["version"])


async def test_a_privileged_change_makes_one_row_in_a_log_that_shows_tampering(
    rig_for, postgres_server
):
    rig = await rig_for(SPEC, start=False)
    async with rig.client(caller="anna") as client:
        path = (await client.post("/v1/things", json={"name": "old"})).headers["location"]
        for name in ("b", "c", "d"):
            tag = (await client.get(path)).headers["etag"]
            await client.patch(path, json={"name": name}, headers={"If-Match": tag})
        await client.patch(path, json={"name": "refused"}, headers={"If-Match": '"1"'})
    pool = await rig.service.database.pool()

    assert [("anna", "PATCH /v1/things/{thing_id}", path)] * 3 == [
        tuple(r) for r in await pool.fetch("SELECT actor, action, subject FROM audit ORDER BY seq")
    ]
    assert [] == await audit.verify(pool)
    import asyncpg

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("UPDATE audit SET actor = 'somebody'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("DELETE FROM audit")
    database = rig.dsns["probe"].split("?")[0].rsplit("/", 1)[1]
    admin = await asyncpg.connect(postgres_server.admin_dsn(database))
    try:
        await admin.execute(
            "ALTER TABLE audit DISABLE TRIGGER ALL; UPDATE audit SET actor = 'eve' WHERE seq = 2"
        )
        assert [2] == await audit.verify(admin)
        await admin.execute("DELETE FROM audit WHERE seq = 2")
        assert [3] == await audit.verify(admin)
    finally:
        await admin.close()


async def test_a_log_longer_than_a_part_is_walked_to_its_end(rig_for, postgres_server, monkeypatch):
    import asyncpg

    monkeypatch.setattr(audit, "PART", 3)
    rig = await rig_for(SPEC, start=False)
    async with write(rig.service.scope) as tx:
        for number in range(7):
            tx.audit("thing.counted", str(number))
    pool = await rig.service.database.pool()
    assert [] == await audit.verify(pool)
    rows, head = await audit.head(pool)

    database = rig.dsns["probe"].split("?")[0].rsplit("/", 1)[1]
    admin = await asyncpg.connect(postgres_server.admin_dsn(database))
    try:
        await admin.execute(
            "ALTER TABLE audit DISABLE TRIGGER ALL; UPDATE audit SET subject = 'x' WHERE seq IN (3, 4)"
        )
        assert [3, 4] == await audit.verify(admin)
        await admin.execute("DELETE FROM audit WHERE seq > 5")
        assert [3, 4] == await audit.verify(admin)
        assert (7, 5) == (rows, (await audit.head(admin))[0])
        assert head != (await audit.head(admin))[1]
    finally:
        await admin.close()


async def test_a_privileged_change_that_speaks_for_itself_makes_one_row_too(rig_for):
    router = Router(prefix="/v1/things")

    @router.delete("/{name}", policy=needs("things:write", privileged=True))
    async def remove(name: str, tx: Write) -> dict[str, str]:
        tx.audit("thing.removed", name, because="it was old")
        return {}

    rig = await rig_for(replace(SPEC, routers=[router]), start=False)
    async with rig.client(caller="anna") as client:
        await client.delete("/v1/things/chair")

    pool = await rig.service.database.pool()
    rows = await pool.fetch("SELECT actor, action, subject FROM audit")
    assert [("anna", "thing.removed", "chair")] == [tuple(row) for row in rows]


async def test_paging_shows_everything_once(rig_for):
    rig = await rig_for(SPEC, start=False)
    seen, cursor = [], None

    async with rig.client() as client:
        for n in range(7):
            await client.post("/v1/things", json={"name": f"thing {n}"})
        while True:
            page = (
                await client.get(
                    "/v1/things", params={"limit": 3, **({"cursor": cursor} if cursor else {})}
                )
            ).json()
            seen += [item["name"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        bad = await client.get("/v1/things", params={"cursor": "made-up"})

    assert [f"thing {n}" for n in range(7)] == seen
    assert 422 == bad.status_code


async def test_the_description_names_policies_problems_and_keys(rig_for):
    rig = await rig_for(SPEC, start=False)

    schema = rig.service.openapi()

    post, path = schema["paths"]["/v1/things"]["post"], schema["paths"]["/v1/things/{thing_id}"]
    assert "things:write" == post["x-kantis-policy"]
    assert [{"key": []}] == post["security"]
    for change in (post, path["patch"]):
        assert "Idempotency-Key" in {p["name"] for p in change["parameters"]}
    assert "Idempotency-Key" not in {p["name"] for p in path["get"]["parameters"]}
    assert "application/problem+json" in post["responses"]["409"]["content"]
    assert "x-kantis-policy-object" not in str(schema)


async def test_public_pages_need_no_key_and_are_not_in_the_description(rig_for):
    rig = await rig_for(SPEC, start=False)

    async with rig.anonymous() as client:
        shown = await client.get("/probe/hello")
        refused = await client.post("/probe/hello")

    assert (200, {"word": "hello"}) == (shown.status_code, shown.json())
    assert "no-store" == shown.headers["cache-control"]
    assert 405 == refused.status_code
    assert "/probe/{word}" not in rig.service.openapi()["paths"]


async def test_a_slow_request_is_ended_and_says_so(rig_for):
    rig = await rig_for(SPEC, start=False, settings={"probe": {"request_timeout_seconds": 0.05}})
    failpoints.arm("tx.before_commit", "hang")

    async with rig.client() as client:
        answer = await client.post("/v1/things", json={"name": "slow"})

    assert (503, "urn:kantis:problem:too-slow") == (answer.status_code, answer.json()["type"])
    assert 0 == await count(rig)


async def test_operators_routes_are_made_once_in_a_process_and_tell_each_app_its_own(rig_for):
    from kantis_kit.brokers.port import Delivery

    rigs = [await rig_for(SPEC, start=False) for _ in range(2)]
    for rig, content in zip(rigs, (b"a", b"b"), strict=True):
        await rig.service.consumers[0]._settle(
            [Delivery(None, None, redelivered=False, raw=content, problem="odd")]
        )

    told = []
    for rig in rigs:
        async with rig.client(scopes=["operations:read"], caller="ops") as client:
            (one,) = (await client.get("/v1/operations/probe/parked")).json()["items"]
            path = f"/v1/operations/probe/parked/{one['queue']}/{one['event_id']}"
            told.append((await client.get(path)).json()["content"])

    assert ["a", "b"] == told
    one, other = (
        rig.service._api(WebRuntime("probe", rig.service.scope, None, None)).router.routes[-1]
        for rig in rigs
    )
    assert "/v1/operations/probe" == one.original_router.prefix
    assert one is other


async def test_operators_read_and_replay_parked_messages_by_the_api(rig_for):
    from kantis_kit.brokers.port import Delivery

    rig = await rig_for(SPEC, start=False)
    await rig.service.consumers[0]._settle(
        [Delivery(None, None, redelivered=False, raw=b"?", problem="odd")]
    )

    async with rig.client(scopes=["operations:write"], caller="ops") as client:
        listed = (await client.get("/v1/operations/probe/parked")).json()["items"]
        key = {"queue": listed[0]["queue"], "event_id": listed[0]["event_id"]}
        detail = await client.get(f"/v1/operations/probe/parked/{key['queue']}/{key['event_id']}")
        replayed = await client.post("/v1/operations/probe/parked/replay", json={"messages": [key]})
        gone = (await client.get("/v1/operations/probe/parked")).json()["items"]
        whole = (await client.get("/v1/operations/probe/audit")).json()

    assert "?" == detail.json()["content"]
    assert {"replayed": 1} == replayed.json()
    assert [] == gone
    assert (True, [], 1) == (whole["whole"], whole["broken"], whole["rows"])
    assert 64 == len(whole["head"])


async def test_operators_see_how_far_each_queue_is_behind(rig_for):
    from kantis_kit.brokers.port import Delivery

    rig = await rig_for(SPEC)
    consumer = rig.service.consumers[0]
    await consumer._settle([Delivery(None, None, redelivered=False, raw=b"?", problem="odd")])

    async with rig.client(scopes=["operations:read"], caller="ops") as client:
        told = (await client.get("/v1/operations/probe/queues")).json()

    assert (0, 0.0) == (told["unpublished"], told["oldest_unpublished_seconds"])
    by_name = {one["queue"]: one for one in told["queues"]}
    assert {one.queue for one in rig.service.consumers} == by_name.keys()
    row = by_name[consumer.queue]
    assert (0, 0, 1) == (row["waiting"], row["again"], row["parked"])
    assert row["oldest_at"] is not None


async def test_a_process_without_a_broker_says_that_it_cannot_see_the_queues(rig_for):
    rig = await rig_for(SPEC, start=False)
    await rig.service.broker.stop()

    async with rig.client(scopes=["operations:read"], caller="ops") as client:
        told = (await client.get("/v1/operations/probe/queues")).json()

    assert {None} == {one["waiting"] for one in told["queues"]}
    assert {0} == {one["parked"] for one in told["queues"]}


async def test_metrics_and_readiness_tell_of_the_service(rig_for):
    rig = await rig_for(SPEC)

    async with rig.anonymous() as client:
        ready = await client.get("/readyz")
        metrics = await client.get("/metrics")

    assert (200, "ready") == (ready.status_code, ready.json()["status"])
    assert "up" == ready.json()["checks"]["broker"]["state"]
    assert b"kantis_outbox_rows" in metrics.content
