"""The merged description, asked for when it is wanted and kept for a minute."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from gateway.docs.merge import Document, merge
from gateway.upstreams.clients import Upstreams, fetch
from kantis_kit.clock import Clock

KEEP = timedelta(minutes=1)
ASK_SECONDS = 5.0
_OK = 200


class Description:
    """Asks every service for its part; one that is away is left out and named."""

    def __init__(
        self,
        upstreams: Upstreams,
        clock: Clock,
        *,
        ask: Mapping[str, Callable[[], Document]] | None = None,
    ) -> None:
        self._upstreams = upstreams
        self._given = ask or {}
        self._clock = clock
        self._last: dict[str, Document] = {}
        self._made: tuple[bytes, datetime] | None = None

    async def content(self) -> bytes:
        """Return the description as JSON."""
        now = self._clock.now()
        if self._made is not None and now < self._made[1]:
            return self._made[0]
        names = list(self._upstreams)
        answers = await asyncio.gather(*(self._ask(name) for name in names))
        for name, document in zip(names, answers, strict=True):
            if document is not None:
                self._last[name] = document
        known = {name: self._last[name] for name in names if name in self._last}
        missing = [name for name in names if name not in self._last]
        content = json.dumps(merge(known, missing=missing), ensure_ascii=False).encode()
        if all(document is not None for document in answers):
            self._made = (content, now + KEEP)
        return content

    async def _ask(self, name: str) -> Document | None:
        given = self._given.get(name)
        if given is not None:
            return given()
        answer = await fetch(self._upstreams[name], "/openapi.json", timeout_seconds=ASK_SECONDS)
        if answer is None or answer[0] != _OK:
            return None
        try:
            document = json.loads(answer[1])
        except ValueError:
            return None
        return document if isinstance(document, dict) else None
