"""A whole house and a real browser, for tests that use the pages as people do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    async_playwright,
)

from pictures import House, browser_arguments, running_house

PEOPLE = 120
_HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests with a browser together: each worker that gets one of them starts a house."""
    items.sort(key=lambda item: _HERE not in item.path.parents)


@pytest.fixture(scope="session")
def house(tmp_path_factory) -> Any:
    """A house in which the demonstration has been played; one for all tests of a process."""
    with running_house(tmp_path_factory.mktemp("house"), people=PEOPLE) as started:
        yield started


@dataclass
class Visitor:
    """A person at a browser, and what the browser asked for and complained of meanwhile."""

    house: House
    context: BrowserContext
    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def note(self, request: Request) -> None:
        self.asked.append(request.url)

    @property
    def strangers(self) -> set[str]:
        """The hosts that were asked for anything, our own aside."""
        hosts = {urlsplit(url).netloc for url in self.asked if url.startswith(("http", "ws"))}
        return hosts - {urlsplit(self.house.url).netloc}

    async def goto(self, path: str) -> int:
        answer = await self.page.goto(f"{self.house.url}{path}")
        assert answer is not None
        return answer.status

    async def mails(self, *, to: str = "", subject: str = "") -> list[dict[str, Any]]:
        """Return the mails in the mailbox, the newest first."""
        answer = await self.context.request.get(
            f"{self.house.url}/mailbox/api/mails", params={"to": to, "limit": 500}
        )
        return [mail for mail in (await answer.json())["items"] if subject in mail["subject"]]

    async def follow(self, mail_id: int, link: str) -> Page:
        """Click a link of a mail in the mailbox; return the tab that it opens."""
        await self.goto(f"/mailbox/{mail_id}")
        async with self.context.expect_page() as opened:
            await self.page.frame_locator("iframe").locator(link).click()
        tab = await opened.value
        await tab.wait_for_load_state()
        return tab


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests of a process: visitors share nothing but its program."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(**browser_arguments())
        yield launched
        await launched.close()


@asynccontextmanager
async def _visitor(house: House, browser: Browser, **given: Any) -> AsyncIterator[Visitor]:
    context = await browser.new_context(color_scheme="light", **given)
    try:
        context.set_default_timeout(30_000)
        page = await context.new_page()
        visitor = Visitor(house, context, page)
        visitor.watch(page)
        context.on("page", visitor.watch)
        context.on("request", visitor.note)
        yield visitor
    finally:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(house: House, browser: Browser) -> AsyncIterator[Visitor]:
    """A visitor on a computer; no page may complain or ask another host."""
    async with _visitor(house, browser) as one:
        yield one
        assert [] == one.complaints
        assert set() == one.strangers


@pytest.fixture
def visitor_with(house: House, browser: Browser) -> Any:
    """Make a visitor with other wishes: `async with visitor_with(locale="fi-FI") as visitor`."""
    return lambda **given: _visitor(house, browser, **given)
