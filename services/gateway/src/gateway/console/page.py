"""What a page of the console is made of: `@page(address, needs=…)` over one function, and the `Page` that it is given."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import ModuleType
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from gateway.console.calls import (
    HTTP_ERROR,
    Answer,
    ApiCalls,
    ApiRefused,
    Call,
    Json,
    query_of,
    refusal_of,
)
from gateway.console.forms import Form, Options, Values, errors_by_field
from gateway.console.templating import render
from gateway.console.wording import Texts
from gateway.users.queries import SignedIn
from kantis_kit.auth.principal import Principal
from kantis_kit.ids import new_id
from kantis_kit.web.middleware import Message, Receive

BODY_BYTES = 1024 * 1024
_PART_BYTES = 256 * 1024
SEE_OTHER = 303
_UNREACHED = (403, 404, 501, 503)
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
NO_ADDRESSES = "same-origin"
"""Under `no-referrer` browsers post our own forms with `Origin: null`, as a stranger would."""


@dataclass(frozen=True)
class Failed:
    """A form that the API refused: what was typed, and what is wrong with it."""

    form: Form
    values: Values
    errors: Mapping[str, str]
    detail: str


@dataclass
class Page:
    """One look at a page by one person."""

    route: "PageRoute"
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    signed_in: SignedIn
    principal: Principal
    calls: ApiCalls
    csrf: str
    today: date
    """The day (UTC) on which it is looked at."""
    is_fragment: bool = False
    """Whether htmx asks for a part of the page."""
    form_data: FormData | None = None
    """The posted form, of pages that read it themselves."""
    failed: Failed | None = None
    options: dict[str, Options] = field(default_factory=dict)
    """What the selects of this page's forms offer, by the field's name."""
    values: dict[str, Values] = field(default_factory=dict)
    """What stands in the fields of this page's forms at first, by the form's name."""
    told: dict[str, Any] = field(default_factory=dict)
    """What a form of this page has just been answered, where it must be shown at once."""

    def __post_init__(self) -> None:
        """Take the language of the person."""
        self.t = Texts(self.signed_in.user.language)

    def may(self, scope: str) -> bool:
        """Say whether the person may do what needs this scope."""
        return self.principal.may(scope)

    async def api(self, method: str, path: str, **more: Any) -> Json:
        """Call the API in the person's name and return its JSON; see `ApiCalls.ask`.

        Raises:
            ApiRefused: it said no; the page becomes the one that says why.
        """
        return await self.calls.ask(method, path, **more)

    async def maybe(self, method: str, path: str, **more: Any) -> Json:
        """Call the API for a part of a page that may be missing: None when it is away or not for this person."""
        try:
            return await self.calls.ask(method, path, **more)
        except ApiRefused as refused:
            if refused.status not in _UNREACHED:
                raise
            return None

    async def file(self, path: str, *, method: str = "GET", **more: Any) -> Answer:
        """Fetch a file from the API.

        Raises:
            ApiRefused: it said no.
        """
        answer = await self.calls.send(method, path, **more)
        if answer.status >= HTTP_ERROR:
            raise refusal_of(answer)
        return answer

    def posted_file(self, field: str) -> tuple[str, Receive]:
        """Return the name of the file that was posted and what gives its parts; nothing where none was."""
        given = self.form_data.get(field) if self.form_data is not None else None
        file = given if isinstance(given, UploadFile) else None

        async def receive() -> Message:
            part = await file.read(_PART_BYTES) if file is not None else b""
            return {"type": "http.request", "body": part, "more_body": len(part) == _PART_BYTES}

        return (file.filename or "" if file is not None else ""), receive

    def download(self, answer: Answer, name: str) -> Response:
        """Return a file of the API as one to keep; no browser opens it on our pages."""
        return Response(
            answer.content,
            media_type=answer.headers.get("content-type"),
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Content-Security-Policy": "sandbox; default-src 'none'",
            },
        )

    def show(self, template: str, *, status: int = 200, **words: Any) -> Response:
        """Return the page, in the frame, with what it has asked the API at its end."""
        forms = [one for one in self.route.forms if self.may(one.needs)]
        return html(
            render(
                template,
                page=self,
                t=self.t,
                calls=[*self.calls.made, *self._forms_calls(forms)],
                **words,
            ),
            language=self.t.language,
            status=422 if self.failed and status == 200 else status,  # noqa: PLR2004 - a refused form
        )

    def part(self, template: str, **words: Any) -> Response:
        """Return a part of the page, for htmx."""
        return html(render(template, page=self, t=self.t, **words), language=self.t.language)

    def _forms_calls(self, forms: Sequence[Form]) -> list[Call]:
        return [one.as_call(self.params) for one in forms]

    def form(self, name: str) -> Form | None:
        """Return a form of this page, unless the person may not send it."""
        found = next(one for one in self.route.forms if one.name == name)
        return found if self.may(found.needs) else None

    def value(self, form: Form, name: str) -> str:
        """Return what stands in a field."""
        if self.failed is not None and self.failed.form is form:
            return self.failed.values.get(name, "")
        given = self.values.get(form.name, {}).get(name)
        if given is not None:
            return str(given)
        return next(one.given for one in form.fields if one.name == name)

    def error(self, form: Form, name: str) -> str:
        """Return what is wrong with a field."""
        failed = self.failed
        return failed.errors.get(name, "") if failed is not None and failed.form is form else ""

    def with_cursor(self, cursor: str) -> str:
        """Return the query of this page's next one."""
        return "?" + query_of({**self.query, "cursor": cursor, "done": None})

    @property
    def without_cursor(self) -> str:
        """Return the query of this page's first one."""
        query = query_of({**self.query, "cursor": None, "done": None})
        return f"?{query}" if query else ""

    def new_key(self) -> str:
        """Return a key under which a form has its effect once, however often it is sent."""
        return str(new_id())

    async def submit(self, form: Form, values: Values) -> Response | None:
        """Make the call of a form; where to go then, or None when the page shows what came of it."""
        try:
            if form.do is not None:
                told = await form.do(self, values)
            else:
                told = await self._call(form, values)
        except ApiRefused as refused:
            errors = errors_by_field(form, refused.problem)
            self.failed = Failed(form, values, errors, refused.detail)
            return None
        if isinstance(told, Response):
            return told
        if not form.then and isinstance(told, dict) and self.route.shows_answers:
            self.told = {form.name: told}
            return None
        return RedirectResponse(self._then(form, told), status_code=SEE_OTHER)

    async def _call(self, form: Form, values: Values) -> Json:
        headers = []
        if key := values.get("_key", ""):
            headers.append((b"idempotency-key", key.encode("ascii", "ignore")))
        body = form.body_of(values) if form.has_body else None
        return await self.api(
            form.method, form.target({**values, **self.params}), body=body, headers=headers
        )

    def _then(self, form: Form, told: Json) -> str:
        if not form.then:
            return f"{self.path}?done={form.name}"
        known = {**(told if isinstance(told, dict) else {}), **self.params}
        return form.then.format_map(known)


Show = Callable[[Page], Awaitable[Response]]


@dataclass(frozen=True)
class PageRoute:
    """An address of the console, what it needs, and what shows it."""

    address: str
    needs: str
    show: Show
    forms: Sequence[Form] = ()
    area: str = ""
    """The entry of the navigation that it belongs to."""
    max_body_bytes: int = BODY_BYTES
    shows_answers: bool = False
    """Whether the answer of a form is shown at once instead of after a redirect: a key that is shown only once."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return what an address must look like."""
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.address)))


def page(
    address: str,
    *,
    needs: str,
    forms: Sequence[Form] = (),
    area: str = "",
    max_body_bytes: int = BODY_BYTES,
    shows_answers: bool = False,
) -> Callable[[Show], PageRoute]:
    """Declare a page: its address, the scope without which nobody sees it, and its forms."""

    def declared(show: Show) -> PageRoute:
        return PageRoute(address, needs, show, forms, area, max_body_bytes, shows_answers)

    return declared


def pages_in(*modules: ModuleType) -> list[PageRoute]:
    """Return the pages of modules."""
    return [
        one for module in modules for one in vars(module).values() if isinstance(one, PageRoute)
    ]


def html(content: str, *, language: str, status: int = 200) -> Response:
    """Return a page with the headers that every page has."""
    return Response(
        content,
        status_code=status,
        media_type="text/html",
        headers={
            "Content-Language": language,
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Referrer-Policy": NO_ADDRESSES,
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
        },
    )
