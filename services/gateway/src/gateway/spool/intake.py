"""A lead is never turned away because its service is: what contacts cannot take now, the spool takes."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime

from starlette.responses import JSONResponse, Response

from gateway.console import render
from gateway.console.texts import choose
from gateway.routes.body import MeteredBody, replay
from gateway.routes.checks import Headers, header
from gateway.spool import queries, usecases
from gateway.spool.model import kept_headers
from gateway.upstreams.clients import Upstream
from kantis_kit import observability
from kantis_kit.db.database import is_away
from kantis_kit.errors import Invalid
from kantis_kit.groups import GroupReader
from kantis_kit.ids import new_id_text
from kantis_kit.tx import Scope as TxScope
from kantis_kit.tx import write
from kantis_kit.web.deadlines import Deadlines
from kantis_kit.web.middleware import Message, Scope, Send

log = observability.get_logger(__name__)

LEAD_PATH = re.compile(r"/f/[A-Za-z0-9_-]{1,100}")
SERVER_ERROR = 500
ACCEPTED = 202
FRESH_SECONDS = 0.05
MOST_FORMS = 1_000


def is_lead(scope: Scope) -> bool:
    """Say whether a request posts a lead."""
    return scope["method"] == "POST" and LEAD_PATH.fullmatch(scope["path"]) is not None


class _Held:
    """Lets an answer pass, unless it says that the service is away or broken."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self.away = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.away = message["status"] >= SERVER_ERROR
            self.begun = not self.away
        if not self.away:
            await self._send(message)


class LeadIntake:
    """Passes leads on, and keeps them when nobody is there to take them.

    Whether older leads of a form wait is asked in the spool. That none do is believed for a twentieth of a second: of what
    this process keeps it knows at once, and of what another one has kept in the last moment it could not know anyway
    which came first.
    """

    def __init__(self, scope: TxScope, *, timeout_seconds: float) -> None:
        self._scope = scope
        self._deadlines = Deadlines(timeout_seconds)
        # Those that come together ask together.
        self._lines: GroupReader[str, bool] = GroupReader(self._look)
        self._clear_until: dict[str, float] = {}
        self._changes = 0
        """How often this process has begun or ended to put a lead into the spool."""

    async def serve(
        self, scope: Scope, body: MeteredBody, send: Send, upstream: Upstream | None
    ) -> Response | None:
        """Serve one lead; returns the answer when the spool has taken it, None when the service has answered.

        Raises:
            SpoolFull: the spool takes no more.
            Invalid: the idempotency key is malformed.
        """
        received_at = self._scope.clock.now()
        content = await body.read_all()
        key, headers = _keyed(scope)
        if upstream is not None and not await self._stands_in_line(scope["path"]):
            held = _Held(send)
            try:
                with self._deadlines.begin():
                    await upstream({**scope, "headers": headers}, replay(content), held)
            except Exception as error:
                if held.begun:
                    raise
                log.info("spool.service_away", error=type(error).__name__)
            else:
                if not held.away:
                    return None
        await self._take(scope, headers, content, key, received_at)
        return _thanks(scope)

    async def _stands_in_line(self, path: str) -> bool:
        """Say whether older leads of this form wait: then this one waits behind them."""
        now, changes = asyncio.get_running_loop().time(), self._changes
        if self._clear_until.get(path, 0.0) > now:
            return False
        try:
            stands = await self._lines.ask(path)
        except Exception as error:
            if not is_away(error):
                raise
            # Without our own database nothing can wait here; the service may still be there.
            log.info("spool.line_unknown", error=type(error).__name__)
            return False
        if not stands and changes == self._changes:
            if len(self._clear_until) >= MOST_FORMS:
                self._clear_until.clear()
            self._clear_until[path] = now + FRESH_SECONDS
        return stands

    def _ask_anew(self) -> None:
        self._changes += 1
        self._clear_until.clear()

    async def _look(self, paths: Sequence[str]) -> list[bool]:
        waiting = await queries.lines_of(self._scope.database, set(paths))
        return [path in waiting for path in paths]

    async def _take(
        self, scope: Scope, headers: Headers, content: bytes, key: str, received_at: datetime
    ) -> None:
        lead = usecases.Lead(
            path=scope["path"],
            query=scope.get("query_string", b"").decode("latin-1"),
            headers=kept_headers(headers),
            body=content,
            idempotency_key=key,
            received_at=received_at,
        )
        # Before it is there and after: who asks between the two may find nothing yet.
        self._ask_anew()
        try:
            async with write(self._scope, actor="visitor") as tx:
                await usecases.take(tx, lead)
        finally:
            self._ask_anew()
        log.info("spool.taken", bytes=len(content))


def _keyed(scope: Scope) -> tuple[str, Headers]:
    """Return the key of a lead, and headers that hold it.

    The first attempt already carries the key: if the service took the lead and died before it said so, the attempt from
    the spool finds it there and changes nothing.
    """
    headers: Headers = scope["headers"]
    given = header(scope, b"idempotency-key")
    if given is None:
        key = new_id_text()
        return key, [*headers, (b"idempotency-key", key.encode("ascii"))]
    key = given.decode("latin-1")
    if not key or len(key) > usecases.MAX_KEY or not key.isascii() or not key.isprintable():
        raise Invalid(f"Idempotency-Key: 1 to {usecases.MAX_KEY} printable ASCII characters")
    return key, headers


def _thanks(scope: Scope) -> Response:
    accept = (header(scope, b"accept") or b"").decode("latin-1").lower()
    sent = (header(scope, b"content-type") or b"").decode("latin-1").lower()
    if "text/html" in accept or ("json" not in accept and "json" not in sent):
        language = choose((header(scope, b"accept-language") or b"").decode("latin-1"))
        answer = render.taken(language, status=ACCEPTED)
    else:
        answer = JSONResponse({"status": "accepted"}, status_code=ACCEPTED)
    if header(scope, b"origin") is not None:
        # What contacts would have told the browser of a site that embeds the form; the answer holds nothing personal.
        answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer
