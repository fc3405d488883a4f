"""Group commit: many small writes share one statement, and each is answered after its commit.

There is no timer: while a group commits, the next one forms of what has come meanwhile. One that comes alone waits for
nobody; under load the groups grow by themselves, because each takes its share of all who are here.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncSession

from kantis_contracts.base import Event
from kantis_kit import failpoints, observability, outbox
from kantis_kit.db.database import is_away
from kantis_kit.ids import new_id
from kantis_kit.observability import correlation_id, current_traceparent
from kantis_kit.tx import ReadTx, Scope

log = observability.get_logger(__name__)

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
UNDER_WAY = 2
MOST = 250


@dataclass(slots=True)
class _Waiting(Generic[ItemT, ResultT]):
    item: ItemT
    answer: "asyncio.Future[ResultT]"
    context: Context
    """Whose correlation and trace a group of one carries; several share a trace of their own."""


class Statements(ReadTx):
    """Statements of the driver's own ($1, $2 …), each a transaction by itself: at most one of them writes anything.

    A look and one statement that writes need no more: what the look has seen may have changed in any transaction, and
    the rules of the tables refuse what must not be. One or two round trips in the place of six.
    """

    def __init__(self, scope: Scope, driver: Any, *, actor: str) -> None:
        # Nothing here asks a session; what only reads settings and the clock takes this as it takes others.
        super().__init__(cast("AsyncSession", None), scope)
        self.actor = actor
        self._driver = driver
        self._staged: list[outbox.Staged] = []

    async def look(self, statement: str, *arguments: Any) -> list[Any]:
        """Return the rows of a statement that only reads."""
        return list(await self._driver.fetch(statement, *arguments))

    def stage(self, *events: Event | outbox.Encoded) -> None:
        """Have the statement that writes publish these events; one without items is nothing."""
        moment = self.clock.now()
        self._staged.extend(outbox.Staged(event, None, moment) for event in events if event.items)

    def unstage(self) -> None:
        """Forget what was staged: the statement that was to write it has found that it must not."""
        self._staged.clear()

    def outbox_rows(self) -> list[tuple[Any, ...]]:
        """Return the rows of what is staged, by `outbox.COLUMNS`: the statement that writes must write them."""
        cause = outbox.Cause(
            correlation_id=correlation_id.get() or new_id(), traceparent=current_traceparent()
        )
        return outbox.rows_of(self._staged, cause, recorded_at=self.clock.now())

    async def put(self, statement: str, *arguments: Any) -> list[Any]:
        """Run the statement that writes, which commits by itself; return its rows."""
        await failpoints.reach("tx.before_commit")
        rows = list(await self._driver.fetch(statement, *arguments))
        await failpoints.reach("tx.after_commit")
        if self._staged:
            self._scope.after_commit()
        return rows


class StatementWriter(Generic[ItemT, ResultT]):
    """Collects items and hands them to `work` in groups, each of which is written by one statement.

    `work` returns one result per item, in their order; when it raises, it has written nothing. When a group cannot be
    written it is halved and tried again, so that one bad item fails alone. When the database is away all of the group
    are told at once.
    """

    def __init__(
        self,
        scope: Scope,
        work: Callable[[Statements, Sequence[ItemT]], Awaitable[Sequence[ResultT]]],
        *,
        actor: str = "system",
        under_way: int = UNDER_WAY,
        most: int = MOST,
    ) -> None:
        self._scope = scope
        self._work = work
        self._actor = actor
        self._most = most
        self._most_under_way = under_way
        self._under_way: list[int] = []
        """The sizes of the groups that are being written."""
        self._is_forming = False
        self._waiting: deque[_Waiting[ItemT, ResultT]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, item: ItemT) -> ResultT:
        """Return what became of an item, after the commit. Raises what `work` raises for it."""
        answer: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, answer, copy_context()))
        self._begin()
        return await answer

    def _begin(self) -> None:
        """Begin a group when none is under way; beside others only when its share of all who are here waits.

        So they take turns: while the database writes the one half, the other half is answered and asks again. A group costs
        by itself what several of its items cost: one that begins at once, with the two who wait, makes all that come
        after them wait longer.
        """
        if (
            self._is_forming
            or not self._waiting
            or len(self._under_way) >= self._most_under_way
            or (self._under_way and len(self._waiting) < self._share())
        ):
            return
        self._is_forming = True
        # A context of its own: what the group does is not the doing of whoever came first.
        task = asyncio.get_running_loop().create_task(self._run(), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _share(self) -> int:
        """Return how many of all who are here one group takes."""
        return -(-(len(self._waiting) + sum(self._under_way)) // self._most_under_way)

    async def _run(self) -> None:
        size = min(self._most, self._share(), len(self._waiting))
        group = [self._waiting.popleft() for _ in range(size)]
        self._is_forming = False
        self._under_way.append(size)
        self._begin()
        try:
            await self._commit(group)
        finally:
            self._under_way.remove(size)
            self._begin()

    async def _commit(self, group: Sequence[_Waiting[ItemT, ResultT]]) -> None:
        try:
            if len(group) == 1:
                inside = asyncio.get_running_loop().create_task(
                    self._write(group), context=group[0].context
                )
                results = await inside
            else:
                results = await self._write(group)
        except Exception as error:  # noqa: BLE001 - told to each whom it concerns
            if len(group) == 1 or is_away(error):
                for one in group:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                return
            log.info("group.split", items=len(group), error=type(error).__name__)
            middle = len(group) // 2
            await self._commit(group[:middle])
            await self._commit(group[middle:])
            return
        for one, result in zip(group, results, strict=True):
            if not one.answer.done():  # who was cancelled waits no longer
                one.answer.set_result(result)

    async def _write(self, group: Sequence[_Waiting[ItemT, ResultT]]) -> Sequence[ResultT]:
        pool = await self._scope.database.keyed_pool()
        async with pool.acquire() as driver:
            tx = Statements(self._scope, driver, actor=self._actor)
            return await self._work(tx, [one.item for one in group])


class GroupReader(Generic[ItemT, ResultT]):
    """Answers many questions with one look; a look begins after the last of its questions was asked."""

    def __init__(
        self,
        look: Callable[[Sequence[ItemT]], Awaitable[Sequence[ResultT]]],
        *,
        under_way: int = 1,
        most: int = MOST,
    ) -> None:
        self._look = look
        self._most = most
        self._free = under_way
        self._waiting: deque[tuple[ItemT, asyncio.Future[ResultT]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, item: ItemT) -> ResultT:
        """Return the answer for an item. Raises what the look raises."""
        answer: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._free:
            self._free -= 1
            task = asyncio.get_running_loop().create_task(self._run(), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = min(self._most, len(self._waiting))
                group = [self._waiting.popleft() for _ in range(count)]
                try:
                    found = await self._look([item for item, _ in group])
                except Exception as error:  # noqa: BLE001 - told to each who asked
                    for _, answer in group:
                        if not answer.done():
                            answer.set_exception(error)
                else:
                    for (_, answer), one in zip(group, found, strict=True):
                        if not answer.done():
                            answer.set_result(one)
        finally:
            self._free += 1


__all__ = ["GroupReader", "StatementWriter", "Statements"]
