"""The short way of a lead: a pure ASGI branch in front of the pages, with group commit behind it.

It answers only what it can answer with success: a first post, as JSON or urlencoded, to a form that asks for names,
addresses and one yes, under an idempotency key. Everything else, and all that is to be refused, goes to the page as it came.
"""

import re
from types import SimpleNamespace
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from contacts_svc.intake import posts, queries, replies, usecases
from contacts_svc.intake.limits import LeadLimits
from contacts_svc.intake.model import Form
from contacts_svc.intake.plain import Answer, Asked, PlainForm, read_headers
from contacts_svc.intake.schemas import LeadIn
from contacts_svc.intake.usecases.leads import Posted
from contacts_svc.intake.usecases.looking import FirstPost
from contacts_svc.intake.usecases.together import FirstLeads, Outcome
from contacts_svc.people.rules import canonical
from contacts_svc.settings import ContactsSettings
from contacts_svc.visitors import evidence
from kantis_contracts.values import Language
from kantis_kit import failpoints, observability
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.principal import ANONYMOUS
from kantis_kit.db.database import is_away
from kantis_kit.errors import AppError
from kantis_kit.groups import StatementWriter
from kantis_kit.service import Service
from kantis_kit.tx import Scope as TxScope
from kantis_kit.tx import read
from kantis_kit.web.middleware import App, Message, Receive, Scope, Send
from kantis_kit.web.router import is_key, key_owner, request_digest
from kantis_kit.web.short import again, read_small

log = observability.get_logger(__name__)

_PATH = re.compile(r"/f/([a-z0-9][a-z0-9-]{1,62})")
_KINDS = (b"application/json", b"application/x-www-form-urlencoded")
_ROUTE = SimpleNamespace(path="/f/{form_key}")
MOST_FORMS = 1_000
SERVER_ERROR = 500


def fast_leads(service: Service, app: App) -> App:
    """Put the short way in front of the pages of forms."""
    return FastLeads(service.scope, app, most_bytes=service.spec.public_max_body_bytes)


class FastLeads:
    """Takes first leads in groups; knows the forms as it read them last, and has each group check that they still hold."""

    def __init__(self, scope: TxScope, app: App, *, most_bytes: int) -> None:
        self._scope = scope
        self._app = app
        self._most_bytes = most_bytes
        self._forms: dict[str, PlainForm] = {}
        self._writer: StatementWriter[FirstPost, Outcome] = StatementWriter(
            scope, FirstLeads().take, actor=ANONYMOUS.id
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        form_key = _address(scope)
        asked = None if form_key is None else read_headers(scope, _KINDS, is_key)
        if form_key is None or asked is None:
            await self._pass_on(scope, receive, send)
            return
        messages, body = await read_small(receive, self._most_bytes)
        replayed = again(messages, receive)
        answer = None
        if body is not None:
            answer = await self._answer(scope, form_key, asked, body)
        if answer is None:
            await self._pass_on(scope, replayed, send)
            return
        scope["route"] = _ROUTE
        await send(
            {"type": "http.response.start", "status": answer.status, "headers": answer.raw[:]}
        )
        await send({"type": "http.response.body", "body": answer.content})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= SERVER_ERROR:
                posts.take_counts_back(scope, self._limits())
            await send(message)

        await self._app(scope, receive, watched)

    async def _answer(
        self, scope: Scope, form_key: str, asked: Asked, body: bytes
    ) -> Answer | None:
        known = await self._form(form_key)
        if known is None or not known.is_plain:
            return None
        form, counted = known.form, posts.no_counts(scope)
        try:
            found = None
            if asked.is_json and asked.is_own:
                query = scope.get("query_string", b"")
                found = known.read(
                    body, asked, query, lambda: posts.language_of(self._request(scope, body), form)
                )
            if found is None:
                found = await self._read_post(self._request(scope, body), form)
            if found is None:
                return None
            posted, language, answer = found
            visitor = asked.forwarded if self._settings().trust_forwarded_for else ""
            visitor = visitor or (scope["client"][0] if scope.get("client") else "")
            named = [canonical(address) for address in posted.draft.addresses]
            posts.count_all(counted, self._limits(), visitor, named)
        except AppError:
            return None  # refused by the page, in its words
        digest = request_digest(scope, body)
        post = FirstPost(
            known.patterns.of(posted, language),
            posted,
            named[0],
            evidence(visitor, asked.agent),
            asked.key,
            key_owner(ANONYMOUS.id, digest),
            digest,
            answer.status,
            answer.stored,
            answer.content,
        )
        try:
            outcome = await self._writer.write(post)
        except Exception as error:  # noqa: BLE001 - the page finds the same, and says what it is
            level = log.info if is_away(error) else log.warning
            level("intake.not_together", error=type(error).__name__)
            return None
        if outcome is Outcome.STALE:
            self._forms.pop(form_key, None)
        if outcome is not Outcome.TAKEN:
            return None
        await failpoints.reach("web.answered")
        return answer

    def _request(self, scope: Scope, body: bytes) -> Request:
        """Return what the pages would read; `app` leads them to the service."""
        whole = [{"type": "http.request", "body": body, "more_body": False}]
        return Request({**scope, "app": self._app}, again(whole, _nothing))

    async def _form(self, key: str) -> PlainForm | None:
        found = self._forms.get(key)
        if found is not None:
            return found
        try:
            async with read(self._scope) as tx:
                row = await queries.get_form(tx, key)
        except AppError:
            return None
        except Exception as error:
            if not is_away(error):
                raise
            return None
        if len(self._forms) >= MOST_FORMS:
            self._forms.clear()
        # Read a dozen times for each lead: its columns under their names cost nothing to read, those of a table object do.
        form = cast("Form", SimpleNamespace(**row.model_dump()))
        found = self._forms[key] = PlainForm(form)
        return found

    async def _read_post(
        self, request: Request, form: Form
    ) -> tuple[Posted, Language, Answer] | None:
        """Read a post that needs nothing beyond a look at it; return it with its language and the answer to it."""
        settings = self._settings()
        headers = posts.cors_headers(request, form, settings.public_url)
        is_json = posts.is_json(request)
        body = await (posts.read_json(request) if is_json else posts.read_form(request))
        if _is_special(form, body):
            return None
        spoken = queries.languages_of(form)
        if not is_json or body.started:
            now = self._scope.clock.now()
            taken = posts.read_stamp(request, self._signer(), form, body, now)
            if taken is None or (not is_json and taken < settings.form_minimum_seconds):
                return None
        if is_json:
            language = body.language if body.language in spoken else None
            language = language or posts.language_of(request, form)
            answer: Response = replies.as_json(form, body, language, link=None, headers=headers)
        else:
            shown = posts.language_of(request, form)
            language = body.language or shown
            answer = replies.as_page(form, body, shown, file=None)
        if language not in spoken:
            language = Language(form.default_language)
        return usecases.read_post(form, body, language=language), language, Answer.of(answer)

    def _settings(self) -> ContactsSettings:
        settings = self._scope.settings
        assert isinstance(settings, ContactsSettings)  # noqa: S101 - narrows the type
        return settings

    def _signer(self) -> LinkSigner:
        found: LinkSigner = self._scope.extras[LinkSigner]
        return found

    def _limits(self) -> LeadLimits:
        found: LeadLimits = self._scope.extras[LeadLimits]
        return found


def _is_special(form: Form, body: LeadIn) -> bool:
    """Say whether a post holds what only the page decides about."""
    versions = {words["version"] for words in form.consent.values()}
    return bool(
        body.website
        or body.visitor
        or body.answers
        or body.topics
        or body.boxes
        or body.box_versions
        or body.proof
        or (body.consent_version and {body.consent_version} != versions)
    )


def _address(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    found = _PATH.fullmatch(scope["path"])
    return found[1] if found else None


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


__all__ = ["FastLeads", "fast_leads"]
