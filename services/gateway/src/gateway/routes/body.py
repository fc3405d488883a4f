"""Bodies are measured while they pass, before any parser sees them."""

import re
from typing import Protocol

from gateway.routes.errors import BadRequest, BodyTooLarge
from kantis_kit.errors import AppError
from kantis_kit.web.middleware import Message, Receive

MAX_DEPTH = 64
MAX_HELD_BYTES = 65_536
MAX_FIELDS = 1_000
MAX_PARTS = 100
_STRUCTURE = re.compile(rb'["\\{}\[\]]')
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)


class Shape(Protocol):
    """Watches the structure of a body of one kind."""

    def feed(self, chunk: bytes) -> None:
        """Read on. Raises `BadRequest` when there is too much of it."""
        ...


class JsonShape:
    """Counts how deep objects and lists lie in each other."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._skip_at = -1
        self._read = 0

    def feed(self, chunk: bytes) -> None:
        """Read on; strings are skipped."""
        for match in _STRUCTURE.finditer(chunk):
            at, mark = self._read + match.start(), match.group()
            if self._in_string:
                if at == self._skip_at:
                    continue
                if mark == b"\\":
                    self._skip_at = at + 1
                elif mark == b'"':
                    self._in_string = False
            elif mark == b'"':
                self._in_string = True
            elif mark in b"{[":
                self._depth += 1
                if self._depth > MAX_DEPTH:
                    raise BadRequest(f"JSON may be {MAX_DEPTH} levels deep")
            elif mark in b"}]":
                self._depth -= 1
        self._read += len(chunk)


class ShallowShape(JsonShape):
    """Counts only once there are brackets enough for a body that lies too deep: most bodies never have so many."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[bytes] | None = []
        self._opened = self._waiting = 0

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        if self._held is None:
            super().feed(chunk)
            return
        self._held.append(chunk)
        self._waiting += len(chunk)
        self._opened += chunk.count(b"{") + chunk.count(b"[")
        if self._opened > MAX_DEPTH or self._waiting > MAX_HELD_BYTES:
            held, self._held = b"".join(self._held), None
            super().feed(held)


class FieldsShape:
    """Counts the fields of a posted form."""

    def __init__(self) -> None:
        self._fields = 1

    def feed(self, chunk: bytes) -> None:
        """Read on."""
        self._fields += chunk.count(b"&") + chunk.count(b";")
        if self._fields > MAX_FIELDS:
            raise BadRequest(f"A form has at most {MAX_FIELDS} fields")


class PartsShape:
    """Counts the parts of a multipart body."""

    def __init__(self, boundary: bytes) -> None:
        self._mark = b"--" + boundary
        self._tail = b""
        self._parts = 0

    def feed(self, chunk: bytes) -> None:
        """Read on; a boundary may lie across two chunks."""
        window = self._tail + chunk
        self._parts += window.count(self._mark)
        self._tail = window[-(len(self._mark) - 1) :] if len(self._mark) > 1 else b""
        if self._parts > MAX_PARTS + 1:
            raise BadRequest(f"A body has at most {MAX_PARTS} parts")


def shape_of(content_type: str) -> Shape | None:
    """Return the watcher for a kind of body, or None where there is no structure to watch.

    Raises:
        BadRequest: a multipart body without a usable boundary.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return ShallowShape()
    if kind == "application/x-www-form-urlencoded":
        return FieldsShape()
    if kind.startswith("multipart/"):
        found = _BOUNDARY.search(content_type)
        if found is None:
            raise BadRequest(
                "Content-Type: a multipart body needs a boundary of 1 to 70 characters"
            )
        return PartsShape(found.group(1).encode("latin-1"))
    return None


class MeteredBody:
    """A `receive` that counts; once a limit is passed, `problem` is set and the body ends like a lost connection."""

    def __init__(self, receive: Receive, *, limit: int, shape: Shape | None) -> None:
        self._receive = receive
        self._limit = limit
        self._shape = shape
        self.seen_bytes = 0
        self.problem: AppError | None = None

    async def __call__(self) -> Message:
        """Return the next message."""
        if self.problem is not None:
            return {"type": "http.disconnect"}
        message = await self._receive()
        chunk = message.get("body", b"")
        if chunk:
            self.seen_bytes += len(chunk)
            try:
                if self.seen_bytes > self._limit:
                    raise too_large(self._limit)
                if self._shape is not None:
                    self._shape.feed(chunk)
            except AppError as problem:
                self.problem = problem
                return {"type": "http.disconnect"}
        return message

    async def read_all(self) -> bytes:
        """Return the whole body.

        Raises:
            AppError: the limit that was passed.
            BadRequest: the caller left before the end.
        """
        chunks: list[bytes] = []
        while True:
            message = await self()
            if message["type"] == "http.disconnect":
                raise self.problem or BadRequest("The body ended early")
            chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(chunks)


def too_large(limit: int) -> BodyTooLarge:
    """Return the refusal of a body above the limit."""
    return BodyTooLarge(
        f"This address takes at most {limit} bytes",
        headers={"Connection": "close"},
        limit_bytes=limit,
    )


def replay(body: bytes) -> Receive:
    """Return a `receive` that gives this body."""
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            return {"type": "http.disconnect"}
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
