"""The public API as a careful client calls it: every POST with a key, so that it may be sent again after a failure."""

import asyncio
from types import TracebackType
from typing import Any, TypeAlias

import httpx

from kantis_kit.errors import KantisError
from kantis_kit.ids import new_id

Json: TypeAlias = Any
"""What JSON can hold; the demonstration reads a few fields of it."""
PATIENCE_SECONDS = 60
RETRY_STATUS = frozenset({429, 502, 503, 504})
CLIENT_ERROR = 400


class CallFailed(KantisError):
    """The API refused, or did not answer for a minute."""


class Api:
    """A client of one installation."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._client = httpx.AsyncClient(
            base_url=url, timeout=30, trust_env=False, limits=httpx.Limits(max_connections=16)
        )
        self._headers = {"Authorization": f"Bearer {key}"}

    async def __aenter__(self) -> "Api":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def get(self, path: str, **parameters: Any) -> Json:
        """Read something."""
        return (await self.send("GET", path, params=parameters)).json()

    async def post(self, path: str, body: Json = None, *, key: str = "") -> Json:
        """Do something once, however often it has to be sent."""
        answer = await self.send("POST", path, json={} if body is None else body, key=key)
        return answer.json() if answer.content else None

    async def send(
        self,
        method: str,
        path: str,
        *,
        key: str = "",
        public: bool = False,
        allow: tuple[int, ...] = (),
        **more: Any,
    ) -> httpx.Response:
        """Send a request; again while nobody answers, with the same idempotency key.

        Raises:
            CallFailed: refused, with what the problem says.
        """
        headers = {**({} if public else self._headers), **more.pop("headers", {})}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(new_id())
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._until_answered(method, path, headers, more)
        except TimeoutError:
            raise CallFailed(f"{method} {path}: nobody answers") from None
        if answer.status_code >= CLIENT_ERROR and answer.status_code not in allow:
            raise CallFailed(f"{method} {path}: {answer.status_code} {answer.text[:600]}")
        return answer

    async def ask(self, path: str) -> httpx.Response:
        """Read something once, whatever the answer is. Raises `CallFailed` when there is none."""
        try:
            return await self._client.get(path, headers=self._headers)
        except httpx.HTTPError as error:
            raise CallFailed(f"GET {path}: {type(error).__name__}") from error

    async def _until_answered(
        self, method: str, path: str, headers: dict[str, str], more: dict[str, Any]
    ) -> httpx.Response:
        while True:
            try:
                answer = await self._client.request(method, path, headers=headers, **more)
            except httpx.TransportError:
                await asyncio.sleep(0.2)
                continue
            if answer.status_code not in RETRY_STATUS:
                return answer
            await asyncio.sleep(min(2.0, float(answer.headers.get("retry-after", "0.2"))))
