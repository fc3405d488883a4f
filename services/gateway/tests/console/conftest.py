"""A console before small services, and people who look at it."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gateway.main import build_gateway
from gateway.routes.table import SERVICES
from gateway.upstreams.clients import Upstreams
from gateway.users import passwords
from gateway.users.schemas import UserIn
from gateway.users.usecases import add_user, use_link
from kantis_kit.tx import write

PASSWORD = "four plain words here"
ORIGIN = "http://kantis.test"


@pytest.fixture
def quick_hashes(monkeypatch):
    """Hashes that cost nothing."""
    monkeypatch.setattr(passwords, "WORK", passwords.Work(log2_n=4, p=1))


@dataclass
class Browser:
    """A person at a browser, without scripts."""

    client: httpx.AsyncClient

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(path, **more)

    async def post(self, path: str, form: dict[str, Any], **headers: str) -> httpx.Response:
        headers = {"Origin": ORIGIN, **headers}
        return await self.client.post(path, data=form, headers=headers)

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return await self.post("/console/sign-in", {"email": email, "password": password})

    async def send(self, path: str, form: str, **values: str) -> httpx.Response:
        """Send a form of a page, as the page has it."""
        page = (await self.get(path)).text
        csrf = page.split('name="_csrf" value="', 1)[1].split('"', 1)[0]
        return await self.post(path, {"_csrf": csrf, "_form": form, **values})


@dataclass
class Call:
    """A call that a service has got."""

    method: str
    path: str
    query: str
    body: Any
    headers: dict[bytes, bytes]


class Canned:
    """Every service at once: answers what a test has laid ready, lists without entries to the rest, and remembers."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Any] = {}
        self.calls: list[Call] = []

    def answer(self, method: str, path: str, told: Any, status: int = 200) -> None:
        self.answers[method, path] = (status, told)

    def sent(self, method: str) -> list[tuple[str, Any]]:
        """Return path and body of the calls of a method."""
        return [(one.path, one.body) for one in self.calls if one.method == method]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = dict(scope["headers"])
        is_json = headers.get(b"content-type", b"").startswith(b"application/json")
        given = json.loads(body) if is_json and body else body.decode("latin-1")
        query = scope["query_string"].decode()
        self.calls.append(Call(scope["method"], scope["path"], query, given, headers))
        empty = (200, {"items": [], "next_cursor": None})
        status, told = self.answers.get((scope["method"], scope["path"]), empty)
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        start = {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}  # fmt: skip
        await send(start)
        await send({"type": "http.response.body", "body": content})


@pytest.fixture
async def services(console):
    """What stands in for all five services behind the console."""
    canned = Canned()
    console.world.app = build_gateway(console.gateway, dict.fromkeys(SERVICES, canned))
    yield canned
    await console.gateway.scope.extras[Upstreams].close()


@pytest.fixture
async def console(world_for, quick_hashes):
    """A world with users; `await console.browser("viewer")` is somebody signed in, `browser()` nobody."""
    world = await world_for()
    clients = []

    class People:
        gateway = world.gateway
        rig = world.rig
        app = world.app

        async def add(self, role: str, *, language: str = "en") -> str:
            email = f"{role}.{len(clients)}@example.test"
            stored = await passwords.hash_password(PASSWORD)
            async with write(world.gateway.scope, actor="test") as tx:
                given = UserIn(email=email, name=role.title(), role=role, language=language)
                _, token = await add_user(tx, given)
                await tx.flush()
                await use_link(tx, token, stored)
            return email

        async def browser(self, role: str = "", *, language: str = "en") -> Browser:
            browser = Browser(world.client())
            clients.append(browser.client)
            if role:
                answer = await browser.sign_in(await self.add(role, language=language))
                assert 303 == answer.status_code
            return browser

    People.world = world
    yield People()
    for client in clients:
        await client.aclose()
