"""What the gateway answers itself: probes, description, explorer, keys for verification, the first page."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, RedirectResponse, Response

from gateway.console import render
from gateway.console.texts import choose
from gateway.docs import explorer
from gateway.docs.description import Description
from gateway.routes.checks import (
    READS,
    header,
    is_forwarded,
    is_in,
    peer,
    refuse_method,
)
from gateway.routes.errors import NoSuchAddress
from gateway.settings import GatewaySettings
from gateway.upstreams.clients import Upstreams, fetch
from kantis_kit.auth.tokens import jwk_of
from kantis_kit.errors import Unavailable
from kantis_kit.networks import Network
from kantis_kit.service import Service
from kantis_kit.web.middleware import Scope

PROBE_SECONDS = 4.0
_OK = 200
Page = Callable[[Scope], Awaitable[Response]]


class OwnPages:
    """The gateway's own addresses."""

    def __init__(
        self,
        service: Service,
        settings: GatewaySettings,
        upstreams: Upstreams,
        description: Description,
        *,
        internal: Sequence[Network],
        links: Sequence[tuple[str, str]],
    ) -> None:
        self._service = service
        self._settings = settings
        self._upstreams = upstreams
        self._description = description
        self._internal = internal
        self._links = links
        self._pages: Mapping[str, Page] = {
            "/": self._landing,
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
            "/.well-known/jwks.json": self._jwks,
            render.STYLE: self._style,
            "/favicon.ico": self._favicon,
        }

    def find(self, path: str) -> Page | None:
        """Return what answers a path, or None when it is not ours."""
        page = self._pages.get(path)
        if page is None and (path == explorer.PAGE or path.startswith(explorer.PAGE + "/")):
            return self._explorer
        return page

    async def answer(self, page: Page, scope: Scope) -> Response:
        """Answer; only reading is possible here.

        Raises:
            MethodRefused: any other method than GET and HEAD.
            NoSuchAddress: not for this caller.
        """
        if scope["method"] not in READS:
            raise refuse_method(READS)
        response = await page(scope)
        if scope["method"] == "HEAD":
            response.body = b""
        return response

    def _is_internal(self, scope: Scope) -> bool:
        # Behind a proxy on this machine everybody's connection comes from here.
        return is_in(peer(scope), self._internal) and not is_forwarded(scope)

    def _check_docs(self, scope: Scope) -> None:
        if self._settings.docs_for == "internal" and not self._is_internal(scope):
            raise NoSuchAddress

    async def _landing(self, scope: Scope) -> Response:
        wanted = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [""])[0]
        accepted = (header(scope, b"accept-language") or b"").decode("latin-1")
        return render.landing(choose(accepted, wanted), self._links)

    async def _style(self, _scope: Scope) -> Response:
        return render.style()

    async def _favicon(self, _scope: Scope) -> Response:
        return RedirectResponse(f"{explorer.PREFIX}favicon-32x32.png", status_code=307)

    async def _livez(self, _scope: Scope) -> Response:
        return JSONResponse({"status": "alive"})

    async def _readyz(self, scope: Scope) -> Response:
        own = await self._service.readiness()
        states = {"gateway": _state(_OK, {"checks": own}, good=all(c["ok"] for c in own.values()))}
        names = list(self._upstreams)
        answers = await asyncio.gather(
            *(fetch(self._upstreams[n], "/readyz", timeout_seconds=PROBE_SECONDS) for n in names)
        )
        for name, answer in zip(names, answers, strict=True):
            states[name] = _read_state(answer)
        good = not self._service.stopping and all(state["ok"] for state in states.values())
        if not self._is_internal(scope):
            states = {name: {"ok": state["ok"]} for name, state in states.items()}
        return JSONResponse(
            {
                "status": "ready" if good else "not ready",
                "stopping": self._service.stopping,
                "services": states,
            },
            status_code=_OK if good else 503,
            headers={} if good else {"Retry-After": "1"},
        )

    async def _metrics(self, scope: Scope) -> Response:
        if not self._is_internal(scope):
            raise NoSuchAddress
        answer = await fetch(self._service.asgi, "/metrics", timeout_seconds=PROBE_SECONDS)
        if answer is None:
            raise Unavailable
        return Response(answer[1], media_type="text/plain; version=0.0.4")

    async def _openapi(self, scope: Scope) -> Response:
        self._check_docs(scope)
        return Response(
            await self._description.content(),
            media_type="application/json",
            headers={"Cache-Control": "no-cache"},
        )

    async def _explorer(self, scope: Scope) -> Response:
        self._check_docs(scope)
        asset = explorer.find_asset(scope["path"].rstrip("/") or "/")
        if asset is None:
            raise NoSuchAddress
        response = Response(asset.content)
        response.raw_headers = list(asset.headers)
        return response

    async def _jwks(self, _scope: Scope) -> Response:
        keys = [jwk_of(key) for key in self._service.keys.public("gateway")]
        return JSONResponse({"keys": keys}, headers={"Cache-Control": "public, max-age=300"})


def _state(status: int, detail: dict[str, Any], *, good: bool) -> dict[str, Any]:
    return {"ok": good and status == _OK, **detail}


def _read_state(answer: tuple[int, bytes] | None) -> dict[str, Any]:
    if answer is None:
        return {"ok": False, "detail": "does not answer"}
    status, body = answer
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    detail = {"checks": told["checks"]} if isinstance(told, dict) and "checks" in told else {}
    return _state(status, detail, good=status == _OK)
