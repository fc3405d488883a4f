"""Calls of the API in the name of whoever looks at a page: each goes the way of an API key, and is remembered.

What is remembered becomes the end of the page: how to do the same by the API.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import orjson

from gateway.routes.body import replay
from kantis_kit.auth.principal import Principal
from kantis_kit.web.middleware import Message, Receive, Scope, Send

CallAs = Callable[[Principal, str, Scope, Receive, Send], Awaitable[None]]
"""Serves a call in somebody's name: (who, from which address, scope, receive, send)."""
Json: TypeAlias = Any
"""What JSON can hold; a page reads a few fields of it."""
Parameters = Mapping[str, Any]
JSON = "application/json"
HTTP_ERROR = 400
_SAFE = "/:.~!$&'()*+,;=@-_"


class ApiRefused(Exception):
    """The API said no; holds its problem."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('type', '')}")
        self.status = status
        self.problem = problem

    @property
    def detail(self) -> str:
        """Return the sentence for a person."""
        return str(self.problem.get("detail") or self.problem.get("title") or self.status)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the end of the page shows it."""

    method: str
    target: str
    body: object = None
    content_type: str = ""

    @property
    def curl(self) -> str:
        """Return the line that does it in a shell."""
        parts = ["curl"]
        if self.method != "GET":
            parts.append(f"-X {self.method}")
        parts.append('-H "Authorization: Bearer $KANTIS_KEY"')
        if self.content_type and self.content_type != JSON:
            parts.append(f"-H 'Content-Type: {self.content_type}' --data-binary @file")
        elif self.body is not None:
            shown = json.dumps(self.body, ensure_ascii=False).replace("'", "'\\''")
            parts.append(f"-H 'Content-Type: {JSON}' -d '{shown}'")
        parts.append(f'"$KANTIS_URL{self.target}"')
        return " ".join(parts)


@dataclass(slots=True)
class Answer:
    """What the API answered."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def data(self) -> Json:
        """Return the JSON of the answer; None when there is none."""
        return orjson.loads(self.content) if self.content else None


class ApiCalls:
    """The API for one page, in one person's name."""

    def __init__(self, call_as: CallAs, principal: Principal, address: str) -> None:
        self._call_as = call_as
        self._principal = principal
        self._address = address
        self.made: list[Call] = []

    async def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters | None = None,
        body: object = None,
        content: tuple[str, Receive] | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> Answer:
        """Call the API; whatever it answers, it is remembered that it was asked.

        Args:
            method: of HTTP.
            path: below `/v1`, not encoded.
            parameters: of the query; what is None or empty is left out.
            body: sent as JSON.
            content: sent instead, as (type, what gives its parts).
            headers: further ones.
        """
        query = query_of(parameters or {})
        kind = content[0] if content else JSON if body is not None else ""
        raw_path = quote(path, safe=_SAFE)
        self._remember(Call(method, raw_path + (f"?{query}" if query else ""), body, kind))
        receive = content[1] if content else replay(b"" if body is None else orjson.dumps(body))
        sent = [(b"accept", b"*/*"), *headers]
        if kind:
            sent.append((b"content-type", kind.encode("latin-1")))
        answer = Answer()
        parts: list[bytes] = []

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in message.get("headers", ())
                }
            else:
                parts.append(message.get("body", b""))

        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": raw_path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": sent,
            "client": (self._address, 0),
            "server": None,
        }
        await self._call_as(self._principal, self._address, scope, receive, send)
        answer.content = b"".join(parts)
        return answer

    async def ask(self, method: str, path: str, **more: Any) -> Json:
        """Call the API and return the JSON that it answers.

        Raises:
            ApiRefused: it said no.
        """
        answer = await self.send(method, path, **more)
        if answer.status >= HTTP_ERROR:
            raise refusal_of(answer)
        return answer.data

    def _remember(self, call: Call) -> None:
        if call not in self.made:
            self.made.append(call)


def query_of(parameters: Parameters) -> str:
    """Return a query; what is None or empty is left out, what is true is `true`."""
    pairs = [
        (name, str(value).lower() if isinstance(value, bool) else value)
        for name, value in parameters.items()
        if value is not None and value != ""
    ]
    return urlencode(pairs, doseq=True)


def refusal_of(answer: Answer) -> ApiRefused:
    """Return what an answer refuses."""
    try:
        problem = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        problem = {}
    return ApiRefused(answer.status, problem if isinstance(problem, dict) else {})
