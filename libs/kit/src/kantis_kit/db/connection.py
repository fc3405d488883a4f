"""The connection that every pool of ours is made of: it does not ask the server anew what an array of numbers is."""

from collections.abc import Sequence
from typing import Any

import asyncpg

_FIRST_OF_A_DATABASE = 10_000
"""Below, the numbers of types are written in PostgreSQL's own catalogue: the same at every server and in each version."""

_known: dict[int, Sequence[Any]] = {}


class _NothingRan:
    """Stands for the statement that was not needed; what is prepared without a name is still there."""

    name = "none"


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that learns from the first one of its process what the built-in types are.

    asyncpg knows single values by heart, but asks about arrays, ranges and the like on each new connection, with a
    recursive statement: some 30 ms of the server at the first `uuid[]` (PostgreSQL 18), more than all else that opening a
    connection takes. What the types of a database's own are is asked as ever: another database has others.
    """

    async def _introspect_types(
        self,
        typeoids: Sequence[int],
        timeout: float | None,  # noqa: ASYNC109 - of the driver
    ) -> tuple[Sequence[Any], Any]:
        if any(oid >= _FIRST_OF_A_DATABASE for oid in typeoids):
            return await self._asked(typeoids, timeout)
        statement: Any = _NothingRan()
        for oid in typeoids:
            if oid not in _known:
                _known[oid], statement = await self._asked((oid,), timeout)
        return [row for oid in typeoids for row in _known[oid]], statement

    async def _asked(
        self,
        typeoids: Sequence[int],
        timeout: float | None,  # noqa: ASYNC109 - of the driver
    ) -> tuple[Sequence[Any], Any]:
        rows, statement = await super()._introspect_types(typeoids, timeout)
        return rows, statement
