"""A console before small services, and people who look at it."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

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

    yield People()
    for client in clients:
        await client.aclose()
