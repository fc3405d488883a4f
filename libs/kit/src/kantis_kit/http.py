"""The one outgoing HTTP client: deadlines, few retries with jitter, a breaker per host.

No service opens outgoing HTTP connections in another way, so that limits and tests have one place.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx
import orjson

from kantis_kit.clock import Clock, SystemClock
from kantis_kit.errors import Unavailable
from kantis_kit.http_wire import Wire

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
RETRY_STATUS = frozenset({502, 503, 504})
SERVER_ERROR = 500
_NOT_WRITTEN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,  # a header that cannot be sent: refused on our side
)


@dataclass
class Breaker:
    """Opens after failures in a row, lets one trial through after a pause."""

    threshold: int = 5
    pause_seconds: float = 10.0
    failures: int = 0
    opened_at: float | None = None
    trial: bool = False

    def allows(self, now: float) -> bool:
        """Say whether a call may be made now."""
        if self.opened_at is None:
            return True
        if self.trial or now - self.opened_at < self.pause_seconds:
            return False
        self.trial = True
        return True

    def record(self, *, good: bool, now: float) -> None:
        """Note how a call ended."""
        self.trial = False
        if good:
            self.failures, self.opened_at = 0, None
            return
        self.failures += 1
        if self.failures >= self.threshold:
            self.opened_at = now


@dataclass
class RetryBudget:
    """At most a fifth more calls than asked for, over the last hundred: retries never multiply an outage."""

    share: float = 0.2
    history: deque[bool] = field(default_factory=lambda: deque(maxlen=100))

    def allows(self) -> bool:
        """Say whether one more retry fits; a short history allows the first ones."""
        retries = sum(self.history)
        return retries < max(2.0, self.share * (len(self.history) - retries))

    def record(self, *, retry: bool) -> None:
        """Note a call."""
        self.history.append(retry)


class CircuitOpen(Unavailable):
    """The other side has failed too often; it is left alone for a while."""

    slug = "circuit-open"


class Unanswered(Unavailable):
    """The request was written, at least in part, and no answer came: the other side may have acted on it."""

    slug = "unanswered"


class _Failed(Exception):
    """No answer; `was_written` says whether the other side may have seen the request."""

    def __init__(self, *, was_written: bool) -> None:
        self.was_written = was_written
        super().__init__()


class _Given:
    """A transport of httpx, as tests hand it in."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def send(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        request = httpx.Request(method, url, content=content, headers=headers)
        response = await self._transport.handle_async_request(request)
        await response.aread()
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()


class OutgoingClient:
    """HTTP to other systems (providers, webhooks), never inside a transaction."""

    def __init__(
        self,
        *,
        timeout_seconds: float = 5.0,
        connect_seconds: float = 2.0,
        retries: int = 2,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        max_in_flight: int = 32,
        may_reach: Callable[[str], bool] | None = None,
    ) -> None:
        """Make a client; with `may_reach`, names that lead to an address for which it says no are not connected to."""
        self._wire = (
            _Given(transport)
            if transport
            else Wire(
                timeout_seconds=timeout_seconds,
                connect_seconds=connect_seconds,
                may_reach=may_reach,
            )
        )
        self._timeout = timeout_seconds
        self._retries = retries
        self._clock = clock or SystemClock()
        self._breakers: dict[str, Breaker] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._slots = asyncio.Semaphore(max_in_flight)
        self._random = random.Random()  # noqa: S311 - jitter, not a secret

    def breaker(self, host: str) -> Breaker:
        """Return the breaker of a host."""
        return self._breakers.setdefault(host, Breaker())

    def is_cut_off(self, url: str) -> bool:
        """Say whether a call to this host would be refused by its breaker now; asking changes nothing."""
        breaker = self._breakers.get(_host(url))
        if breaker is None or breaker.opened_at is None:
            return False
        return (
            breaker.trial
            or self._clock.now().timestamp() - breaker.opened_at < breaker.pause_seconds
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
    ) -> httpx.Response:
        """Send a request.

        Retries what is idempotent (by method, or because the caller says so) on 502 to 504 and on connection errors.

        Raises:
            CircuitOpen: the host has failed too often lately.
            Unanswered: no answer within the deadline, after the retries, and the request may have arrived.
            Unavailable: the host could not be reached.
        """
        host, sent = _host(url), dict(headers or {})
        if json is not None:
            content = orjson.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        may_retry = method.upper() in IDEMPOTENT if idempotent is None else idempotent
        attempts = 1 + (self._retries if may_retry else 0)
        budget = self._budgets.setdefault(host, RetryBudget())
        was_written = False
        for attempt in range(attempts):
            last = attempt == attempts - 1
            if attempt and not budget.allows():
                break
            budget.record(retry=attempt > 0)
            response: httpx.Response | None = None
            try:
                response = await self._once(method, url, host, content, sent)
            except _Failed as failure:
                was_written = was_written or failure.was_written
            if response is not None and (last or response.status_code not in RETRY_STATUS):
                return response
            if not last:
                await asyncio.sleep(self._random.uniform(0, 0.1 * 2**attempt))
            elif response is not None:
                return response
        if was_written:
            raise Unanswered(f"{host} has not answered")
        raise Unavailable(f"{host} cannot be reached")

    async def _once(
        self,
        method: str,
        url: str,
        host: str,
        content: bytes | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        breaker = self.breaker(host)
        if not breaker.allows(self._clock.now().timestamp()):
            raise CircuitOpen(f"{host} has failed too often lately; it is left alone for a while")
        async with self._slots:
            try:
                async with asyncio.timeout(self._timeout * 2):
                    response = await self._wire.send(method, url, content, headers)
            except (httpx.TransportError, TimeoutError) as error:
                breaker.record(good=False, now=self._clock.now().timestamp())
                raise _Failed(was_written=not isinstance(error, _NOT_WRITTEN)) from error
            except BaseException:
                # Neither good nor bad: but a trial that ended like this must not leave the host cut off for ever.
                breaker.trial = False
                raise
        breaker.record(good=response.status_code < SERVER_ERROR, now=self._clock.now().timestamp())
        return response

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.aclose()


@lru_cache(maxsize=256)
def _host(url: str) -> str:
    return httpx.URL(url).netloc.decode()
