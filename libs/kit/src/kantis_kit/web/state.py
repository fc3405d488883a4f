"""What one request holds: its caller and, once it asks for one, its transaction."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from fastapi import Request

from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import TokenVerifier
from kantis_kit.tx import ReadTx, Scope, Tx, read

Standings = Callable[[], Awaitable[tuple[Mapping[str, int | None], tuple[int, float]]]]
"""Returns the messages that wait in each queue, and how many events have not left and the age of the oldest in seconds."""


@dataclass(slots=True)
class WebRuntime:
    """What the web side of a service needs."""

    service: str
    scope: Scope
    verifier: TokenVerifier
    standing: Standings


def runtime_of(request: Request) -> WebRuntime:
    """Return the runtime of the application that serves the request."""
    runtime: WebRuntime = request.app.state.kantis
    return runtime


class RequestState:
    """Opens transactions lazily; the route ends them."""

    def __init__(self, scope: Scope, principal: Principal) -> None:
        self.scope = scope
        self.principal = principal
        self.stored_body: bytes | None = None
        """What a repeated request gets instead of the answer, when that holds something shown only once."""
        self._stack = AsyncExitStack()
        self._write: Tx | None = None
        self._read: ReadTx | None = None

    async def __aenter__(self) -> "RequestState":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Sessions that were not committed are closed, which rolls back.
        await self._stack.__aexit__(kind, error, trace)

    async def write(self) -> Tx:
        """Return the request's one write transaction."""
        if self._write is None:
            session = await self._stack.enter_async_context(self.scope.database.sessions())
            self._write = Tx(session, self.scope, actor=self.principal.id)
        return self._write

    async def read(self) -> ReadTx:
        """Return a read-only transaction, or the write transaction when there is one already."""
        if self._write is not None:
            return self._write
        if self._read is None:
            self._read = await self._stack.enter_async_context(read(self.scope))
        return self._read

    async def finish(self) -> None:
        """Commit what was written."""
        if self._write is not None:
            await self._write.finish()


def state_of(request: Request) -> RequestState:
    """Return the state that the route has put on the request."""
    state: Any = request.state.kantis
    assert isinstance(state, RequestState)  # noqa: S101 - set by KantisRoute before any dependency runs
    return state
