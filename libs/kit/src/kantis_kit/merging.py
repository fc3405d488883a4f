"""What every service does when people become one: keep who leads to whom, let what is theirs follow, look again."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import Table

from kantis_kit.db import aliases
from kantis_kit.ids import new_id
from kantis_kit.timers import Timer, TimerHandler
from kantis_kit.tx import Tx

LOOK_AGAIN_TIMER = "merges.look_again"
Follow = Callable[[Tx, Sequence[UUID]], Awaitable[None]]
"""Lets what came under these ids stand where these lead now."""


class PersonMerge(Protocol):
    """Two ids became one, or two again."""

    @property
    def merged_id(self) -> UUID:
        """The id that is another's now."""
        ...

    @property
    def known_id(self) -> UUID:
        """That other."""
        ...

    @property
    def merge_id(self) -> UUID:
        """Which merge it was."""
        ...

    @property
    def version(self) -> int:
        """The highest of a merged id holds."""
        ...

    @property
    def is_undone(self) -> bool:
        """Two again."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...


def merges_of(items: Iterable[PersonMerge]) -> list[aliases.Merge]:
    """Return what is said in the words of `kantis_kit.db.aliases`."""
    return [
        aliases.Merge(one.merged_id, one.known_id, one.merge_id, one.version, one.is_undone, one.at)
        for one in items
    ]


async def take(tx: Tx, table: Table, items: Iterable[PersonMerge], *, follow: Follow) -> None:
    """Keep who was merged into whom, and let what is theirs follow, now and a little later once more.

    Any order, any number of times.
    """
    changed = await aliases.keep(tx, table, merges_of(items))
    if changed:
        await follow(tx, changed)
        due = tx.clock.now() + aliases.LOOK_AGAIN_AFTER
        await tx.schedule(LOOK_AGAIN_TIMER, str(new_id()), due, {"ids": [str(i) for i in changed]})


def look_again(follow: Follow) -> TimerHandler:
    """Return the timed work that moves what was written under a merged id at the moment of its merge."""

    async def function(tx: Tx, timers: Sequence[Timer]) -> None:
        await follow(tx, sorted({UUID(id_) for one in timers for id_ in one.payload["ids"]}))

    return TimerHandler(LOOK_AGAIN_TIMER, function)
