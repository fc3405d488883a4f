"""Reading what visitors post: a form or JSON, from our page or another site, from a person or a machine."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from pydantic import ValidationError
from starlette.requests import Request

from contacts_svc.intake import queries
from contacts_svc.intake.errors import BodyKindUnknown, BodyUnreadable, OriginForeign
from contacts_svc.intake.limits import LeadLimits
from contacts_svc.intake.model import Form
from contacts_svc.intake.schemas import LeadIn
from contacts_svc.people.rules import AddressInvalid, canonical, normalise_email, normalise_phone
from contacts_svc.visitors import network_address
from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.errors import Invalid
from kantis_kit.web.languages import choose_language
from kantis_kit.web.middleware import Scope
from kantis_kit.web.problems import message_of
from kantis_kit.web.state import runtime_of

PURPOSE = "form"
_STAMP_BYTES = 8
_NONCE_BYTES = 8
_ID_BYTES = 16
MAX_AGE_SECONDS = 24 * 3600
_YES = frozenset({"yes", "on", "true", "1"})
_COUNTED = "contacts.counted"


def count_visitor(request: Request, limits: LeadLimits) -> None:
    """Count a post of this network address, once per request. Raises `TooManyLeads`."""
    _count(request, "", network_address(request), limits.count_visitor)


def count_address(request: Request, limits: LeadLimits, address: str) -> None:
    """Count a post that names this address, once per request. Raises `TooManyLeads`."""
    _count(request, address, address, limits.count_address)


def no_counts(scope: Scope) -> dict[str, str]:
    """Have the request remember what is counted of it, as nothing is yet."""
    counted: dict[str, str] = {}
    scope[_COUNTED] = counted
    return counted


def count_all(
    counted: dict[str, str], limits: LeadLimits, visitor: str, addresses: Sequence[str]
) -> None:
    """Count a post of which nothing is counted yet. Raises `TooManyLeads`."""
    limits.count_visitor(visitor)
    counted[""] = visitor
    for address in addresses:
        if address not in counted:
            limits.count_address(address)
            counted[address] = address


def take_counts_back(scope: Scope, limits: LeadLimits) -> None:
    """Count a post no longer that could not be kept: whoever sends it again is not one who posts too often."""
    counted: dict[str, str] = scope.get(_COUNTED, {})
    for what, who in counted.items():
        (limits.take_address_back if what else limits.take_visitor_back)(who)
    counted.clear()


def _count(request: Request, what: str, who: str, count: Callable[[str], None]) -> None:
    # A post that the short way has counted and passed on is not counted twice.
    done: dict[str, str] = request.scope.setdefault(_COUNTED, {})
    if what not in done:
        count(who)
        done[what] = who


def language_of(request: Request, form: Form) -> Language:
    """Return the language in which a form speaks to a visitor."""
    return choose_language(request, queries.languages_of(form), Language(form.default_language))


def read_stamp(
    request: Request, signer: LinkSigner, form: Form, body: LeadIn, now: datetime
) -> float | None:
    """Return how long the visitor had the page before they posted; None when the stamp is none of this form's."""
    return seconds_taken(signer, form.id, body.started, posted_at(request, now))


def is_json(request: Request) -> bool:
    """Say whether JSON was sent; anything but JSON and forms is refused. Raises `BodyKindUnknown`."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return True
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return False
    raise BodyKindUnknown(
        "Content-Type: application/json, application/x-www-form-urlencoded or multipart/form-data"
    )


async def read_json(request: Request) -> LeadIn:
    """Read a lead from JSON. Raises `BodyUnreadable` or `Invalid` with the fields."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise BodyUnreadable(f"This is not JSON: {error}") from error
    return _lead(body)


async def read_form(request: Request) -> LeadIn:
    """Read a lead from a posted form; an unticked box is not sent, so its absence is a no."""
    fields = await request.form(max_files=0, max_fields=200)
    body: dict[str, Any] = {"answers": {}, "boxes": {}, "box_versions": {}}
    for name, value in fields.multi_items():
        group, _, key = name.partition(".")
        if value == "":
            continue
        if group == "answers" and key:
            _answer(body["answers"], key, value)
        elif group == "boxes" and key:
            body["boxes"][key] = str(value).lower() in _YES
        elif group == "box_versions" and key:
            body["box_versions"][key] = value
        elif name == "topics":
            body.setdefault("topics", []).append(value)
        else:
            body[name] = value
    body["consent"] = str(body.get("consent", "")).lower() in _YES
    return _lead(body)


def _answer(answers: dict[str, Any], key: str, value: object) -> None:
    """Boxes of one question come under one name, one by one."""
    if key not in answers:
        answers[key] = value
    elif isinstance(answers[key], list):
        answers[key].append(value)
    else:
        answers[key] = [answers[key], value]


def _lead(body: object) -> LeadIn:
    try:
        return LeadIn.model_validate(body)
    except ValidationError as error:
        found = [
            {"in": "body", "field": ".".join(map(str, one["loc"])), "message": message_of(one)}
            for one in error.errors()[:20]
        ]
        detail = "; ".join(f"{one['field'] or 'body'}: {one['message']}" for one in found[:5])
        raise Invalid(detail, errors=found) from error


def stamp(signer: LinkSigner, form_id: UUID, now: datetime) -> str:
    """Return what is written into the page of a form: when it was given to the visitor."""
    moment = int(now.timestamp() * 1000).to_bytes(_STAMP_BYTES, "big")
    # Two visitors of one moment have two stamps: each is worth one proof of work.
    return signer.make(PURPOSE, form_id.bytes + moment + secrets.token_bytes(_NONCE_BYTES))


def seconds_taken(signer: LinkSigner, form_id: UUID, started: str, now: datetime) -> float | None:
    """Return how long the visitor had the page, or None when the stamp is not ours, of another form or a day old."""
    payload = signer.read(PURPOSE, started, now=now)
    if (
        payload is None
        or len(payload) != _ID_BYTES + _STAMP_BYTES + _NONCE_BYTES
        or payload[:_ID_BYTES] != form_id.bytes
    ):
        return None
    moment = payload[_ID_BYTES : _ID_BYTES + _STAMP_BYTES]
    taken = now.timestamp() - int.from_bytes(moment, "big") / 1000
    return taken if taken <= MAX_AGE_SECONDS else None


def posted_at(request: Request, now: datetime) -> datetime:
    """Return when the visitor posted: a lead that the gateway has kept while we were away says so itself.

    The header is believed only when our own gateway stands before us; it drops what outsiders send under that name.
    """
    if not getattr(runtime_of(request).scope.settings, "trust_forwarded_for", False):
        return now
    try:
        received = datetime.fromisoformat(request.headers.get("x-kantis-received-at", ""))
    except ValueError:
        return now
    return received if received.tzinfo is not None and received <= now else now


def cors_headers(request: Request, form: Form, public_url: str) -> Mapping[str, str]:
    """Return what lets a listed site read the answer.

    Raises:
        OriginForeign: the request comes from a site that the form does not list.
    """
    origin = request.headers.get("origin")
    own = urlsplit(public_url)
    if origin is None or origin == f"{own.scheme}://{own.netloc}":
        return {}
    if request.headers.get("sec-fetch-site") == "same-origin":
        return {}  # our own page under another of our names; no script can write this header
    if origin not in form.origins:
        raise OriginForeign("Add the site to the form's origins")
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def origin_of(address: str) -> str:
    """Return scheme and host of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def visitor_of(request: Request) -> str:
    """Return the visitor that a link from another of our pages names, or nothing."""
    try:
        return str(UUID(request.query_params.get("visitor", "")))
    except ValueError:
        return ""


def addresses_named(body: LeadIn, country: str) -> list[str]:
    """Return what is counted of a post: each mailbox and number once, however it is spelt."""
    named = []
    try:
        if body.email:
            named.append(canonical(normalise_email(body.email)))
        if body.phone:
            named.append(canonical(normalise_phone(body.phone, body.country or country)))
    except AddressInvalid:
        pass  # refused with its reason when the lead is taken
    return named
