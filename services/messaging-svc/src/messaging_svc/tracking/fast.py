"""The short way of clicks and openings: a pure ASGI branch in front of the pages, with one group commit behind both.

It answers only what it can answer with success; a token that is not ours, a test's own page and a message that is gone go to
the page as they came.
"""

import re
from types import SimpleNamespace
from urllib.parse import quote

from kantis_kit import observability
from kantis_kit.auth.principal import ANONYMOUS
from kantis_kit.db.database import is_away
from kantis_kit.groups import StatementWriter
from kantis_kit.service import Service
from kantis_kit.web.middleware import App, Receive, Scope, Send
from messaging_svc.links import TEST_PAGE, LinkMaker, TrackingTokens
from messaging_svc.tracking.pages import PIXEL
from messaging_svc.tracking.together import Visit, Visits
from messaging_svc.tracking.visiting import visitor_of

log = observability.get_logger(__name__)

_PATH = re.compile(r"/([co])/([A-Za-z0-9_-]{36})")
_METHODS = frozenset({"GET", "HEAD"})
_SAFE = "%/:?#[]@!$&'()*+,;=~"
_SHOWN = ((b"content-length", b"%d" % len(PIXEL)), (b"content-type", b"image/gif"))
_LED_ON = ((b"x-robots-tag", b"noindex"), (b"content-length", b"0"))
_ROUTES = {use: SimpleNamespace(path=f"/{use}/{{token}}") for use in "co"}


def _on_the_wire(target: str) -> bytes:
    return (target if target.isascii() else quote(target, safe=_SAFE)).encode()


def fast_visits(service: Service, app: App) -> App:
    """Put the short way in front of the pages of clicks, or of openings; both kinds share their groups.

    A group costs by itself what several visits cost: with groups of its own for each kind there would be twice as many.
    """
    extras = service.scope.extras
    if LinkMaker not in extras:
        return app  # without keys for links there are none to follow
    own: LinkMaker = extras[LinkMaker]
    if VisitWriter not in extras:
        extras[VisitWriter] = VisitWriter(service.scope, Visits(own).take, actor=ANONYMOUS.id)
    return FastVisits(app, own.tokens, extras[VisitWriter])


class VisitWriter(StatementWriter[Visit, str | None]):
    """The writer of a service's clicks and openings."""


class FastVisits:
    """Takes visits of one kind."""

    def __init__(self, app: App, tokens: TrackingTokens, writer: VisitWriter) -> None:
        self._app = app
        self._tokens = tokens
        self._writer = writer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        visit = self._visit(scope)
        target = await self._take(visit) if visit is not None else None
        if visit is None or target is None:
            await self._app(scope, receive, send)
            return
        if visit.position is None:
            status, headers, content = 200, [*_SHOWN], PIXEL
        else:
            status, headers, content = 302, [*_LED_ON, (b"location", _on_the_wire(target))], b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _visit(self, scope: Scope) -> Visit | None:
        if scope["type"] != "http" or scope["method"] not in _METHODS:
            return None
        found = _PATH.fullmatch(scope["path"])
        named = self._tokens.read(found[1], found[2]) if found else None
        if found is None or named is None:
            return None
        message_id, position = named
        if found[1] == "c" and position == TEST_PAGE:
            return None
        scope["route"] = _ROUTES[found[1]]
        visitor = visitor_of(scope)
        return Visit(message_id, position if found[1] == "c" else None, visitor)

    async def _take(self, visit: Visit) -> str | None:
        try:
            return await self._writer.write(visit)
        except Exception as error:  # noqa: BLE001 - the page finds the same, and says what it is
            level = log.info if is_away(error) else log.warning
            level("tracking.not_together", error=type(error).__name__)
            return None
