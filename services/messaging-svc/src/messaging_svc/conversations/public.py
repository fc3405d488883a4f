"""The pages on which people reach a person of ours: `/chat`, its stream, and the wish to be called."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from kantis_contracts.values import Language
from kantis_kit.auth.policy import public
from kantis_kit.errors import AppError
from kantis_kit.tx import ReadTx, Scope
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.languages import choose_language
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import In
from kantis_kit.web.state import runtime_of
from messaging_svc.conversations import queries
from messaging_svc.conversations.desk_hours import is_staffed
from messaging_svc.conversations.errors import NoWayBack, TextForbidden, TooManyMessages
from messaging_svc.conversations.pages import catalogue, page, snippet
from messaging_svc.conversations.schemas import CallFormIn, ChatIn, ChatOut, LineIn, LineOut
from messaging_svc.conversations.streams import (
    DESCRIBED,
    HEADERS,
    EventStream,
    Hub,
    follow,
    last_seen,
    stream_seconds,
)
from messaging_svc.conversations.usecases import visiting
from messaging_svc.settings import MessagingSettings
from messaging_svc.tracking.visiting import visitor_of

router = Router(prefix="/chat")
_ANYBODY = "anybody may write to us; bounded by network address"
_OWN_CHAT = "the token in the address is the visitor's key to their own chat"
_MOST_FIELDS = 20
_WORDS = {
    NoWayBack: "no_way_back",
    TooManyMessages: "too_many",
    TextForbidden: "refused",
}
FormT = TypeVar("FormT", bound=In)


def _language(request: Request, tx: ReadTx, *, named: str = "") -> Language:
    ours = {"NO": Language.NB, "SE": Language.SV, "DK": Language.DA, "FI": Language.FI}
    country = tx.settings(MessagingSettings).company_country
    if named in Language.__members__.values():
        return Language(named)
    return choose_language(request, list(Language), ours.get(country, Language.EN))


async def _form(request: Request) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")


@router.get("", policy=public(_ANYBODY))
async def show_contact(request: Request, tx: Read) -> Response:
    """Show how to reach a person: by chat while somebody sits there, else in writing."""
    who = request.query_params.get("who", "")[:200]
    return _contact(tx, await _language_for(request, tx, who), {"who": who})


async def _language_for(request: Request, tx: ReadTx, who: str) -> Language:
    """Return the language that was asked for, else that of whoever came by a link of their own."""
    known = None if "lang" in request.query_params else await visiting.language_of(tx, who)
    return known or _language(request, tx)


def _contact(
    tx: ReadTx,
    language: Language,
    values: Mapping[str, str],
    *,
    problem: str = "",
    status: int = 200,
) -> Response:
    staffed = is_staffed(tx.settings(MessagingSettings), tx.clock.now())
    return page(
        "contact.html", language, status=status, is_staffed=staffed, values=values, problem=problem
    )


@router.post("", policy=public(_ANYBODY), status_code=201)
async def begin(request: Request, tx: Write) -> Response:
    """Begin a chat, from the page or as JSON; where nobody sits there, it is answered by mail or telephone."""
    visitor = visitor_of(request.scope).address
    if _is_json(request):
        begun = await visiting.begin_chat(tx, await _posted(ChatIn, request), visitor)
        return Response(begun.model_dump_json(), status_code=201, media_type="application/json")
    sent = await _form(request)
    language = _language(request, tx, named=sent.get("language", ""))
    try:
        begun = await visiting.begin_chat(tx, _read(ChatIn, sent), visitor)
    except (AppError, ValidationError) as refusal:
        return _contact(
            tx, language, sent, problem=_say(refusal, language), status=_status(refusal)
        )
    return _after_begin(begun, language)


def _after_begin(begun: ChatOut, language: Language) -> Response:
    if begun.channel == "chat":
        return RedirectResponse(f"/chat/{begun.token}?lang={language.value}", status_code=303)
    words = catalogue()[language.value]
    told = words["thanks_email" if begun.channel == "email" else "thanks_call"]
    return page("thanks.html", language, message=told)


@router.get("/script.js", policy=public(_ANYBODY))
async def show_script(request: Request, tx: Read) -> Response:
    """Return the script that puts the way to us on another site."""
    settings = tx.settings(MessagingSettings)
    return Response(
        snippet(_language(request, tx), public_url=settings.public_url),
        media_type="text/javascript",
        headers={"Cache-Control": "public, max-age=3600"},
    )


@router.get("/call", policy=public(_ANYBODY))
async def show_call(request: Request, tx: Read) -> Response:
    """Show the form on which somebody asks to be called."""
    who = request.query_params.get("who", "")[:200]
    language = await _language_for(request, tx, who)
    return page("call.html", language, values={"who": who}, problem="")


@router.post("/call", policy=public(_ANYBODY))
async def ask_for_call(request: Request, tx: Write) -> Response:
    """Take the wish to be called."""
    visitor = visitor_of(request.scope).address
    if _is_json(request):
        await visiting.ask_for_call(tx, await _posted(CallFormIn, request), visitor)
        return Response(status_code=204)
    sent = await _form(request)
    language = _language(request, tx, named=sent.get("language", ""))
    try:
        await visiting.ask_for_call(tx, _read(CallFormIn, sent), visitor)
    except (AppError, ValidationError) as refusal:
        return page(
            "call.html",
            language,
            status=_status(refusal),
            values=sent,
            problem=_say(refusal, language),
        )
    return page("thanks.html", language, message=catalogue()[language.value]["thanks_call"])


@router.get("/{token}", policy=public(_OWN_CHAT))
async def show_chat(token: str, request: Request, tx: Read) -> Response:
    """Show a chat to its visitor."""
    return await _talk(tx, token, _language(request, tx))


async def _talk(
    tx: ReadTx, token: str, language: Language, *, problem: str = "", status: int = 200
) -> Response:
    return page(
        "talk.html",
        language,
        status=status,
        token=token,
        problem=problem,
        is_staffed=is_staffed(tx.settings(MessagingSettings), tx.clock.now()),
        lines=await queries.list_lines(tx, await visiting.find_chat(tx, token)),
    )


@router.post("/{token}", policy=public(_OWN_CHAT))
async def say_by_form(token: str, request: Request, tx: Write) -> Response:
    """Take what a visitor writes next, from a page without a script."""
    language = _language(request, tx)
    try:
        await visiting.go_on(tx, token, _read(LineIn, await _form(request)).text)
    except (TooManyMessages, ValidationError) as refusal:
        return await _talk(
            tx, token, language, problem=_say(refusal, language), status=_status(refusal)
        )
    return RedirectResponse(f"/chat/{token}?lang={language.value}", status_code=303)


@router.post("/{token}/lines", policy=public(_OWN_CHAT), status_code=201)
async def say(token: str, body: LineIn, tx: Write) -> LineOut:
    """Take what a visitor writes next."""
    received = await visiting.go_on(tx, token, body.text)
    lines = await queries.list_lines(tx, received.conversation_id)
    return lines[-1]


@router.get(
    "/{token}/stream", policy=public(_OWN_CHAT), response_class=EventStream, responses=DESCRIBED
)
async def stream(
    token: str, request: Request, tx: Read, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0
) -> Response:
    """Tell a visitor what is new, as it comes (server-sent events); `Last-Event-ID` goes on where a stream ended."""
    conversation_id = await visiting.find_chat(tx, token)
    scope = runtime_of(request).scope
    told = _lines(scope, tx.use(Hub), conversation_id, last_seen(request, after))
    return EventStream(told, headers=HEADERS)


def _lines(scope: Scope, hub: Hub, conversation_id: UUID, after: int) -> AsyncIterator[bytes]:
    async def tell(tx: ReadTx, number: int) -> Sequence[LineOut]:
        return await queries.list_lines(tx, conversation_id, after=number)

    return follow(scope, hub, conversation_id, tell, after=after, seconds=stream_seconds(scope))


async def _posted(kind: type[FormT], request: Request) -> FormT:
    """Read a body of JSON; what is wrong with it is told as of every other body."""
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        told = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(told) from error


def _read(kind: type[FormT], sent: Mapping[str, str]) -> FormT:
    """Read a form; fields that it does not have are left out, as browsers and others add them."""
    known: dict[str, Any] = {name: sent[name] for name in kind.model_fields if name in sent}
    return kind.model_validate({name: value for name, value in known.items() if value != ""})


def _say(refusal: AppError | ValidationError, language: Language) -> str:
    name = next((word for kind, word in _WORDS.items() if isinstance(refusal, kind)), "invalid")
    return catalogue()[language.value][name]


def _status(refusal: AppError | ValidationError) -> int:
    return refusal.status if isinstance(refusal, AppError) else 422
