"""Every operation of every service there is, from its own description: who may call it through the gateway."""

from importlib import import_module
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.docs.merge import METHODS, merge
from gateway.keys.roles import SCOPES, Role
from gateway.main import SPEC
from gateway.routes.table import SERVICES, RouteTable
from kantis_kit.auth.principal import Principal
from kantis_kit.service import Service
from kantis_kit.signing import Keys
from kantis_kit.web.patterns import UNKNOWN, in_words

UUID = "01930000-0000-7000-8000-000000000001"
NOBODY = SecretStr("postgresql://nobody@127.0.0.1/none")


def _services() -> dict[str, Service]:
    specs = {name: import_module(f"{name}_svc.main").SPEC for name in SERVICES}
    return {
        name: Service(
            spec,
            spec.settings(
                postgres_dsn=NOBODY, broker_url=NOBODY, link_keys=SecretStr("1:" + "5a" * 32)
            ),
            keys=Keys(None, {}),
        )
        for name, spec in {**specs, "gateway": SPEC}.items()
    }


BUILT = _services()
DOCUMENTS = {name: service.openapi() for name, service in BUILT.items()}
MERGED = merge(DOCUMENTS)
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method, path, item[method])
    for path, item in MERGED["paths"].items()
    for method in METHODS
    if method in item
]
OWNER = {path: name for name, document in DOCUMENTS.items() for path in document["paths"]}


def concrete(path: str) -> str:
    return "/".join(UUID if part.startswith("{") else part for part in path.split("/"))


def test_every_path_is_routed_to_the_service_that_describes_it_and_described_once():
    table = RouteTable()

    routed = {path: table.find(concrete(path)) for path in OWNER}

    assert {path: OWNER[path] for path in OWNER} == {
        path: route.service if route else None for path, route in routed.items()
    }
    assert sum(len(document["paths"]) for document in DOCUMENTS.values()) == len(MERGED["paths"])


def test_public_pages_are_routed_to_the_service_that_has_them():
    table = RouteTable()
    pages = {prefix: name for name, service in BUILT.items() for prefix in service.spec.public}

    routed = {prefix: table.find(f"{prefix}/x") for prefix in pages}

    assert pages == {prefix: route.service if route else None for prefix, route in routed.items()}
    assert not any(route.needs_key for route in routed.values() if route)


def test_every_operation_has_a_policy_and_needs_a_key_exactly_when_it_is_not_public():
    table = RouteTable()

    wrong = [
        (method, path)
        for method, path, operation in OPERATIONS
        if (route := table.find(concrete(path))) is None
        or not operation["x-kantis-policy"]
        or route.needs_key == operation["x-kantis-policy"].startswith("public:")
    ]

    assert [] == wrong


@pytest.fixture
async def front(rig_for):
    """The gateway before all services, none of which has a database: whoever passes gets no further than 503."""
    import httpx

    from gateway.keys.usecases import create_key
    from gateway.main import build_gateway
    from kantis_kit.tx import write

    rig = await rig_for(
        SPEC,
        start=False,
        settings={"gateway": {"ip_limit": "100000/second", "key_limit": "100000/second"}},
    )
    reached: list[tuple[str, str, str]] = []

    def service_of(name: str) -> Any:
        async def app(scope, receive, send):
            reached.append((name, scope["method"], scope["path"]))
            await send({"type": "http.response.start", "status": 299, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        return app

    gateway = rig.services["gateway"]
    app = build_gateway(gateway, {name: service_of(name) for name in SERVICES})
    async with write(gateway.scope) as tx:
        _, key = await create_key(tx, Role.SITE, "matrix")

    def client(presented: str | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://kantis.test",
            headers={"Authorization": f"Bearer {presented}"} if presented else {},
        )

    return client, key, reached


async def test_without_a_key_every_operation_is_401_and_reaches_nobody(front):
    client, _, reached = front
    keyed = [(m, p) for m, p, o in OPERATIONS if not o["x-kantis-policy"].startswith("public:")]

    async with client() as visitor:
        statuses = {
            (method, path): (await visitor.request(method.upper(), concrete(path))).status_code
            for method, path in keyed
        }

    assert keyed
    assert {401} == set(statuses.values())
    assert [] == reached


async def test_with_a_key_every_operation_reaches_its_service(front):
    client, key, reached = front
    behind = [(m, p) for m, p, _ in OPERATIONS if OWNER[p] != "gateway"]

    async with client(key) as caller:
        for method, path in behind:
            await caller.request(method.upper(), concrete(path))

    assert [(OWNER[p], m.upper(), concrete(p)) for m, p in behind] == reached


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_without_the_scope_is_403_at_the_service_itself(role, tmp_path):
    import httpx

    from kantis_kit.auth.tokens import issue_token
    from kantis_kit.clock import FrozenClock
    from kantis_kit.signing import make_keys

    make_keys(tmp_path, ("gateway",))
    keys, clock = Keys.load(tmp_path, "gateway"), FrozenClock()
    principal = Principal("x", "x", SCOPES[role])
    wrong = []
    for name, built in BUILT.items():
        service = Service(built.spec, built.settings, keys=keys, clock=clock)
        token = issue_token(keys, principal, audience=name, now=clock.now())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=service.asgi, raise_app_exceptions=False),
            base_url="http://service.test",
            headers={"Authorization": f"Bearer {token}"},
        ) as client:
            for method, path, operation in OPERATIONS:
                policy = operation["x-kantis-policy"]
                if OWNER[path] != name or policy.startswith("public:") or principal.may(policy):
                    continue
                answer = await client.request(method.upper(), concrete(path))
                if answer.status_code != 403:
                    wrong.append((role.value, method, path, answer.status_code))

    assert [] == wrong


def test_the_merged_description_is_whole():
    text = str(MERGED)
    names = set(MERGED["components"]["schemas"])

    referred = {part.split("'", 1)[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred <= names
    assert MERGED["openapi"].startswith("3.1")
    for _, path, operation in OPERATIONS:
        wanted = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        given = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert {part.split(".")[0].rstrip("}") for part in wanted} <= given | wanted
        assert operation["responses"]


def test_every_example_is_accepted_by_its_schema():
    import jsonschema

    schemas = MERGED["components"]["schemas"]
    checked, wrong = 0, []
    for method, path, operation in OPERATIONS:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" not in body:
            continue
        checked += 1
        root = {**body["schema"], "components": {"schemas": schemas}}
        errors = jsonschema.Draft202012Validator(root).iter_errors(body["example"])
        wrong.extend((method, path, error.message) for error in errors)

    assert checked
    assert [] == wrong


def patterns(schema: object) -> set[str]:
    """Return what texts must match, anywhere in a description."""
    if isinstance(schema, dict):
        found = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
        return found.union(*map(patterns, schema.values()))
    return set().union(*map(patterns, schema)) if isinstance(schema, list) else set()


def test_whatever_must_match_a_pattern_is_refused_with_words():
    asked = patterns(MERGED)

    assert r"^[a-z0-9_-]+$" in asked
    assert set() == {pattern for pattern in asked if in_words(pattern) == UNKNOWN}
