"""Named places where a test can make the process die, fail or wait.

`KANTIS_FAILPOINTS="relay.published:kill,dispatch.before_data:raise@3"` arms them from outside: the action is `kill`
(SIGKILL to ourselves), `raise` or `hang`, and `@n` fires on the n-th passage only. Unarmed, a fail-point costs a
dictionary look-up.
"""

import asyncio
import os
import signal
from collections.abc import Callable

from kantis_kit.errors import KantisError


class FailPointHit(KantisError):
    """An armed fail-point with the action `raise` was passed."""


class _Armed:
    def __init__(self, action: str, nth: int | None) -> None:
        self.action, self.nth, self.seen = action, nth, 0

    def due(self) -> bool:
        self.seen += 1
        return self.nth is None or self.seen == self.nth


_armed: dict[str, _Armed] = {}
_hooks: dict[str, Callable[[], None]] = {}


def arm(name: str, action: str, *, nth: int | None = None) -> None:
    """Arm one fail-point in this process."""
    _armed[name] = _Armed(action, nth)


def disarm_all() -> None:
    """Forget every armed fail-point and hook."""
    _armed.clear()
    _hooks.clear()


def on(name: str, hook: Callable[[], None]) -> None:
    """Call `hook` at each passage (tests use it to interleave)."""
    _hooks[name] = hook


def load(text: str) -> None:
    """Arm from the form `name:action[@n],…`."""
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, rest = part.partition(":")
        action, _, nth = rest.partition("@")
        arm(name, action or "raise", nth=int(nth) if nth else None)


def are_set() -> bool:
    """Say whether any place has something to do at all: hot paths ask once instead of passing each."""
    return bool(_armed or _hooks)


async def reach(name: str) -> None:
    """Pass the named place; do what it is armed with."""
    if name in _hooks:
        _hooks[name]()
    armed = _armed.get(name)
    if armed is None or not armed.due():
        return
    if armed.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if armed.action == "hang":
        await asyncio.Event().wait()
    raise FailPointHit(name)


load(os.environ.get("KANTIS_FAILPOINTS", ""))
