"""The console: pages for those who work here, behind a signing in.

session → page → scope that it needs → form of the post → calls of the API in the person's name → the page
"""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.console import assets, registry
from gateway.console.calls import ApiCalls, ApiRefused, CallAs
from gateway.console.doors import Doors
from gateway.console.page import SEE_OTHER, Page, PageRoute, html
from gateway.console.signing import Asked, Door
from gateway.console.templating import render
from gateway.console.texts import choose
from gateway.console.wording import Texts
from gateway.keys.roles import scopes_of
from gateway.routes.body import MeteredBody, shape_of
from gateway.routes.checks import READS, header, refuse_method
from gateway.routes.errors import NoSuchAddress
from gateway.settings import GatewaySettings
from gateway.users.queries import SignedIn
from kantis_kit.auth.principal import Principal
from kantis_kit.errors import AppError, Forbidden
from kantis_kit.tx import Scope
from kantis_kit.web.middleware import Receive
from kantis_kit.web.middleware import Scope as AsgiScope

CONSOLE = "/console"
SMALL_BODY_BYTES = 64 * 1024
_POST = frozenset({*READS, "POST"})


def is_console(path: str) -> bool:
    """Say whether a path is the console's."""
    return path == CONSOLE or path.startswith(CONSOLE + "/")


class Console:
    """Answers everything below `/console`."""

    def __init__(self, scope: Scope, settings: GatewaySettings, call_as: CallAs) -> None:
        self._call_as = call_as
        self._clock = scope.clock
        self._door = Door(scope, settings)
        self._doors = Doors(scope, self._door)
        self._pages = [(route.pattern, route) for route in registry.PAGES]

    async def answer(self, scope: AsgiScope, receive: Receive, address: str) -> Response:
        """Answer a request; what is refused becomes a page that says why."""
        if scope["method"] not in _POST:
            raise refuse_method(_POST)
        path: str = scope["path"]
        if path.startswith(assets.PREFIX):
            return _file(path, scope["method"])
        token, signed_in = await self._door.who(scope)
        language = signed_in.user.language if signed_in else _language(scope)
        try:
            response = await self._answer(receive, Asked(scope, address, token, signed_in))
        except ApiRefused as refused:
            response = _refusal(
                language, refused.status, refused.detail, str(refused.problem.get("title", ""))
            )
        except AppError as error:
            response = _refusal(language, error.status, error.detail, error.title)
            response.headers.update(error.headers)
        if scope["method"] == "HEAD":
            response.body = b""
        return response

    async def _answer(self, receive: Receive, asked: Asked) -> Response:
        scope = asked.scope
        found, params = self._find(asked.path)
        if scope["method"] == "POST":
            self._door.check_origin(scope)
            limit = found.max_body_bytes if found and asked.signed_in else SMALL_BODY_BYTES
            asked.form = await _posted(scope, receive, limit)
        try:
            if (door := self._doors.find(asked.path)) is not None:
                return await door(asked)
            if asked.signed_in is None:
                return _to_the_door(scope)
            asked.check_csrf()
            if found is None:
                raise NoSuchAddress("The console has no such page")
            return await self._page(found, params, asked, asked.signed_in)
        finally:
            if asked.form is not None:
                await asked.form.close()

    def _find(self, path: str) -> tuple[PageRoute | None, Mapping[str, str]]:
        for pattern, route in self._pages:
            if (fits := pattern.fullmatch(path)) is not None:
                return route, fits.groupdict()
        return None, {}

    async def _page(
        self, route: PageRoute, params: Mapping[str, str], asked: Asked, signed_in: SignedIn
    ) -> Response:
        user = signed_in.user
        principal = Principal(id=str(user.id), name=user.name, scopes=scopes_of(user.role))
        if route.needs and not principal.may(route.needs):
            raise Forbidden(f"Your role lacks the scope {route.needs}")
        page = Page(
            route=route,
            path=asked.path,
            params=params,
            query=asked.query,
            signed_in=signed_in,
            principal=principal,
            calls=ApiCalls(self._call_as, principal, asked.address),
            csrf=asked.csrf,
            today=self._clock.now().date(),
            is_fragment=header(asked.scope, b"hx-request") is not None,
            form_data=asked.form,
        )
        if asked.form is not None:
            response = await _submitted(page, asked.form)
            if response is not None:
                return response
        return await route.show(page)


async def _submitted(page: Page, form: FormData) -> Response | None:
    name = str(form.get("_form", ""))
    wanted = next((one for one in page.route.forms if one.name == name), None)
    if wanted is None:
        if page.is_fragment:  # a part that htmx asks for with what is typed so far
            return None
        raise NoSuchAddress("This page has no such form; load it again")
    if not page.may(wanted.needs):
        raise Forbidden(f"Your role lacks the scope {wanted.needs}")
    values = {key: value for key, value in form.items() if not isinstance(value, UploadFile)}
    return await page.submit(wanted, {**{one.name: "" for one in wanted.fields}, **values})


async def _posted(scope: AsgiScope, receive: Receive, limit: int) -> FormData:
    """Return what a form has posted; a body is measured while it is read."""
    kind = (header(scope, b"content-type") or b"").decode("latin-1")
    body = MeteredBody(receive, limit=limit, shape=shape_of(kind))
    request = Request(scope, body)
    try:
        return await request.form(max_files=1, max_fields=1_000)
    except Exception:
        if body.problem is not None:
            raise body.problem from None
        raise


def _file(path: str, method: str) -> Response:
    found = assets.find(path)
    if found is None:
        raise NoSuchAddress
    if method == "HEAD":
        found.body = b""
    return found


def _language(scope: AsgiScope) -> str:
    return choose((header(scope, b"accept-language") or b"").decode("latin-1"))


def _to_the_door(scope: AsgiScope) -> Response:
    address = f"{CONSOLE}/sign-in"
    if scope["path"].rstrip("/") != CONSOLE and scope["method"] in READS:
        address += f"?next={quote(scope['path'], safe='/')}"
    if header(scope, b"hx-request") is not None:
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=SEE_OTHER)


def _refusal(language: str, status: int, detail: str, title: str) -> Response:
    t = Texts(language)
    return html(
        render("refused.html", t=t, status=status, detail=detail, title=title),
        language=language,
        status=status,
    )
