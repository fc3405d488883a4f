"""What the steps of the demonstration share: the API, the screen, and the waiting."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID

from kantis.demo.client import Api
from kantis.demo.standstill import what_stands_still
from kantis_kit.clock import Clock, SystemClock
from kantis_kit.errors import KantisError
from kantis_kit.ids import new_id

STANDSTILL_SECONDS = 60
"""A step that comes no further for so long ends the demonstration; one that goes on may take as long as it takes."""


class DemoFailed(KantisError):
    """A step of the demonstration did not come to its end."""


def _run_name() -> str:
    return new_id().hex[-6:].upper()


@dataclass
class Story:
    """What the steps hand to each other."""

    api: Api
    console: Console
    progress: Progress
    people: int
    mailbox: bool
    run: str = field(default_factory=_run_name)
    told: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)

    def say(self, text: str) -> None:
        """Tell what a step came to."""
        self.console.print(f"  [green]✓[/green] {text}")

    @asynccontextmanager
    async def step(
        self, name: str, total: float | None = None
    ) -> AsyncIterator[Callable[[float, float | None], None]]:
        """Show a line for the length of the block; the block reports how far it is."""
        task = self.progress.add_task(name, total=total)
        try:
            yield partial(self._show, task)
        finally:
            self.progress.remove_task(task)

    def _show(self, task: TaskID, done: float, of: float | None) -> None:
        self.progress.update(task, completed=done, total=of)

    async def until(
        self, name: str, look: Callable[[], Awaitable[tuple[float, float | None, bool]]]
    ) -> None:
        """Look until it is done; the look tells how far it is, of how much, and whether it is the end.

        Raises:
            DemoFailed: it came no further than ever before for a minute; says what stands still.
        """
        furthest, since = float("-inf"), self.clock.now()
        async with self.step(name) as tell:
            while True:
                done, of, is_over = await look()
                tell(done, of)
                if is_over:
                    return
                if done > furthest:
                    furthest, since = done, self.clock.now()
                elif (self.clock.now() - since).total_seconds() >= STANDSTILL_SECONDS:
                    break
                await self.clock.sleep(0.1)
        far = f"{done:,.0f} of {of:,.0f}" if of else f"{done:,.0f}"
        raise DemoFailed(
            f"{name}: no progress for {STANDSTILL_SECONDS} s, it stands at {far}. "
            f"{await what_stands_still(self.api)} Look with `kantis doctor`."
        )


async def mail_to(story: Story, address: str) -> dict[str, Any]:
    """Return the newest mail to an address; waits for it."""
    found: list[Any] = []

    async def look() -> tuple[float, float | None, bool]:
        found[:] = (await story.api.get("/mailbox/api/mails", to=address))["items"]
        return len(found), 1, bool(found)

    await story.until("Waiting for the mail", look)
    mail: dict[str, Any] = await story.api.get(f"/mailbox/api/mails/{found[0]['id']}")
    return mail


def first_path(text: str, prefix: str) -> str:
    """Return the path of the first link that begins so. Raises `DemoFailed`."""
    match = re.search(rf"https?://[^\s\"'<>]*?({re.escape(prefix)}[^\s\"'<>]+)", text)
    if match is None:
        raise DemoFailed(f"the mail has no link to {prefix}")
    return match.group(1)
