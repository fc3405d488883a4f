"""Two small services behind the gateway, reached in this process or over a socket: one suite, two configurations."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import Request, Response
from pydantic import ConfigDict
from sqlalchemy import text

import kantis_kit.testing
from gateway.keys.usecases import create_key
from gateway.main import SPEC, build_gateway
from gateway.upstreams.clients import HttpUpstream, Upstreams
from kantis_kit.auth.policy import needs, public
from kantis_kit.ids import new_id
from kantis_kit.service import ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.testing.rig import Rig
from kantis_kit.testing.waiting import eventually
from kantis_kit.tx import write
from kantis_kit.web import Caller, In, Out, Read, Router, Write

PATIENT = {"lead_timeout_seconds": 60, "upstream_timeout_seconds": 60}
"""Limits that no test meets because its machine stood still for some seconds."""
MIGRATIONS = Path(kantis_kit.testing.__file__).parent / "probe_migrations"


class PersonIn(In):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Kari"}]})

    name: str


class Thing(Out):
    id: UUID
    name: str


class Seen(Out):
    headers: list[tuple[str, str]]
    caller: str
    scopes: list[str]
    client: str
    path: str
    query: str


contacts = Router(prefix="/v1/contacts", tags=["contacts"])


def _seen(request: Request, caller: Any) -> Seen:
    return Seen(
        headers=request.headers.items(),
        caller=caller.id,
        scopes=sorted(caller.scopes),
        client=request.client.host if request.client else "",
        path=request.scope["path"],
        query=request.scope["query_string"].decode(),
    )


@contacts.get("/echo", policy=needs("contacts:read"))
async def echo(request: Request, caller: Caller) -> Seen:
    return _seen(request, caller)


@contacts.post("", policy=needs("contacts:write"), status_code=201)
async def make_person(body: PersonIn, tx: Write, response: Response) -> Thing:
    person_id = new_id()
    await tx.execute(
        text("INSERT INTO thing (id, name) VALUES (:id, :name)"),
        {"id": person_id, "name": body.name},
    )
    response.headers["Location"] = f"/v1/contacts/{person_id}"
    return Thing(id=person_id, name=body.name)


@contacts.get("", policy=needs("contacts:read"))
async def list_people(tx: Read) -> list[Thing]:
    rows = await tx.execute(text("SELECT id, name FROM thing ORDER BY id"))
    return [Thing.model_validate(row) for row in rows]


@contacts.get("/{person_id}", policy=needs("contacts:read"))
async def get_person(person_id: UUID, tx: Read) -> Thing:
    row = (
        await tx.execute(text("SELECT id, name FROM thing WHERE id = :id"), {"id": person_id})
    ).one()
    return Thing.model_validate(row)


imports = Router(prefix="/v1/imports", tags=["imports"])


@imports.post("", policy=needs("contacts:write"))
async def take_import(request: Request, _caller: Caller) -> dict[str, int]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return {"bytes": size}


form = Router(prefix="/f")


@form.get("/{form_key}", policy=public("a form"))
async def show_form(form_key: str, request: Request, caller: Caller) -> Seen:
    del form_key
    return _seen(request, caller)


@form.post("/{form_key}", policy=public("a form"))
async def post_form(form_key: str, request: Request, tx: Write) -> dict[str, str]:
    if form_key == "gone":
        return Response(status_code=404)
    content = (await request.body()).decode()
    await tx.execute(
        text("INSERT INTO thing (id, name) VALUES (:id, :name)"), {"id": new_id(), "name": content}
    )
    return {"taken": content, "received_at": request.headers.get("x-kantis-received-at", "")}


orders = Router(prefix="/v1/orders", tags=["orders"])


class OrderIn(In):
    quantity: int
    article: str


@orders.post("", policy=needs("orders:write"), status_code=201)
async def make_order(body: OrderIn, _caller: Caller) -> dict[str, int]:
    return {"quantity": body.quantity}


@orders.get("", policy=needs("orders:read"))
async def list_orders(_caller: Caller) -> list[dict[str, int]]:
    return []


class ContactsStubSettings(ServiceSettings):
    max_body_bytes: int = 200 * 1024 * 1024


CONTACTS = ServiceSpec(
    name="contacts",
    title="Contacts",
    settings=ContactsStubSettings,
    migrations=MIGRATIONS,
    routers=[contacts, imports],
    public={"/f": [form]},
)
ORDERS = ServiceSpec(
    name="orders",
    title="Orders",
    settings=ServiceSettings,
    migrations=MIGRATIONS,
    routers=[orders],
)


class Server(uvicorn.Server):
    """uvicorn without signal handlers of its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: Any, port: int = 0) -> AsyncIterator[int]:
    """Serve an application on a socket of this machine; yields the port."""
    server = Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, lifespan="off", log_config=None, ws="none")
    )
    task = asyncio.get_running_loop().create_task(server.serve())
    try:
        await eventually(lambda: server.started, message="the server did not start")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


@pytest.fixture
async def serve():
    """Serve an application as long as the test: `port = await serve(app)`."""
    async with AsyncExitStack() as stack:

        async def start(app: Any) -> int:
            return await stack.enter_async_context(served(app))

        yield start


class Switch:
    """An upstream that can be taken away; in this process its absence looks like a lost connection."""

    def __init__(self, app: Any) -> None:
        self.app, self.away, self.calls = app, False, 0

    async def __call__(self, scope, receive, send):
        self.calls += 1
        if self.away:
            raise ConnectionRefusedError(self.calls)
        await self.app(scope, receive, send)


@dataclass
class World:
    rig: Rig
    app: Any
    upstreams: dict[str, Any]
    switches: dict[str, Switch] = field(default_factory=dict)

    @property
    def gateway(self):
        return self.rig.services["gateway"]

    def client(
        self, key: str | None = None, *, address: str = "192.0.2.1", **options: Any
    ) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app, client=(address, 1234)),
            base_url="http://kantis.test",
            headers=headers,
            **options,
        )

    async def key(self, role: str = "administrator", **options: Any) -> str:
        async with write(self.gateway.scope, actor="test") as tx:
            _, key = await create_key(tx, role, f"{role} of a test", **options)
        return key

    async def names(self) -> list[str]:
        pool = await self.rig.services["contacts"].database.pool()
        return [row["name"] for row in await pool.fetch("SELECT name FROM thing ORDER BY name")]

    async def spooled(self) -> list[Any]:
        pool = await self.gateway.database.pool()
        return list(await pool.fetch("SELECT * FROM spool ORDER BY id"))


@pytest.fixture
async def world_for(rig_for):
    """Open a world: `await world_for("in-process")` or `("http")`."""
    async with AsyncExitStack() as stack:

        async def make(how: str = "in-process", *, start: bool = False, **settings: Any) -> World:
            rig = await rig_for(
                SPEC, CONTACTS, ORDERS, settings={"gateway": {**PATIENT, **settings}}, start=start
            )
            switches = {name: Switch(rig.services[name].asgi) for name in ("contacts", "orders")}
            upstreams: dict[str, Any] = dict(switches)
            if how == "http":
                for name, switch in switches.items():
                    port = await stack.enter_async_context(served(switch))
                    upstreams[name] = HttpUpstream(
                        name, f"http://127.0.0.1:{port}", clock=rig.clock, timeout_seconds=60
                    )
            gateway = rig.services["gateway"]
            app = build_gateway(gateway, upstreams)
            stack.push_async_callback(gateway.scope.extras[Upstreams].close)
            return World(rig, app, upstreams, switches)

        yield make


@pytest.fixture(params=["in-process", "http"])
async def world(request, world_for):
    """A world in each configuration."""
    return await world_for(request.param)
