"""Places at the API; and what a page asks and reports: the script, what is shown, what became of it."""

import hashlib
import json
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Path as InPath
from fastapi import Query, Request, Response
from pydantic import ValidationError

from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import needs, public
from kantis_kit.errors import Invalid
from kantis_kit.tx import ReadTx
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.problems import message_of
from kantis_kit.web.router import Router
from messaging_svc.settings import MessagingSettings
from messaging_svc.tracking.visiting import visitor_of
from messaging_svc.web import queries, usecases
from messaging_svc.web.errors import ContentNotFound, EvidenceInvalid
from messaging_svc.web.evidence import Evidence, person_named
from messaging_svc.web.schemas import (
    ContentIn,
    ContentOut,
    FigureOut,
    PlaceIn,
    PlaceKey,
    PlaceOut,
    SeenIn,
    ShownOut,
)

router = Router(prefix="/v1/places", tags=["places"])
pages = Router(prefix="/w")

Key = Annotated[PlaceKey, InPath()]
_SCRIPT = (Path(__file__).parent / "pages" / "places.js").read_text(encoding="utf-8")
_FRESH_SECONDS = 60
"""What everybody sees may be as old as this in caches."""
_ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""A page of any site may read the answers: they hold nothing that the address of the request does not open."""


@router.get("", policy=needs("messaging:read"))
async def list_places(tx: Read) -> list[PlaceOut]:
    """Return the places, each with what brings it into a page."""
    return await queries.list_places(tx)


@router.put("/{key}", policy=needs("messaging:write"))
async def save_place(key: Key, body: PlaceIn, tx: Write) -> PlaceOut:
    """Make a place, or name it anew."""
    await usecases.save_place(tx, key, body)
    return await queries.get_place(tx, key)


@router.get("/{key}/contents", policy=needs("messaging:read"))
async def list_contents(key: Key, tx: Read) -> list[ContentOut]:
    """Return what a place shows and has shown."""
    await queries.get_place(tx, key)
    return await queries.list_contents(tx, key)


@router.post("/{key}/contents", policy=needs("messaging:write"), status_code=201)
async def add_content(key: Key, body: ContentIn, tx: Write, response: Response) -> ContentOut:
    """Have a place show something: to everybody, to a segment, or to whom a launch by web reaches."""
    content_id = await usecases.add_content(tx, key, body)
    response.headers["Location"] = f"/v1/places/{key}/contents/{content_id}"
    return await queries.get_content(tx, key, content_id)


@router.get("/{key}/contents/{content_id}", policy=needs("messaging:read"))
async def get_content(key: Key, content_id: UUID, tx: Read) -> ContentOut:
    """Return something that a place shows."""
    return await queries.get_content(tx, key, content_id)


@router.put("/{key}/contents/{content_id}", policy=needs("messaging:write"))
async def change_content(key: Key, content_id: UUID, body: ContentIn, tx: Write) -> ContentOut:
    """Change what a place shows; other texts are a new version."""
    await usecases.change_content(tx, key, content_id, body)
    return await queries.get_content(tx, key, content_id)


@router.delete("/{key}/contents/{content_id}", policy=needs("messaging:write"), status_code=204)
async def take_away(key: Key, content_id: UUID, tx: Write) -> None:
    """Show something no more."""
    await usecases.take_away(tx, key, content_id)


@router.get("/{key}/figures", policy=needs("messaging:read"))
async def list_figures(key: Key, tx: Read) -> list[FigureOut]:
    """Return how often each version was shown, clicked and put away by visitors who allow to count it."""
    await queries.get_place(tx, key)
    return await queries.list_figures(tx, key)


@router.get("/{key}/shown", policy=needs("messaging:read"))
async def get_shown(
    key: Key, tx: Read, person_id: UUID | None = None, language: Language = Language.EN
) -> ShownOut:
    """Return what a person sees at a place, for pages that are made on a server; without one, what everybody sees."""
    found = await queries.find_shown(tx, key, language=language, person_id=person_id)
    if found is None:
        raise ContentNotFound("The place shows nothing to them now")
    return found


# -- public ----------------------------------------------------------------------------------------------------------


@pages.get("/places.js", policy=public("shown by the company's sites"))
async def places_script(tx: Read) -> Response:
    """Return the script that fills the places of a page."""
    base = json.dumps(tx.settings(MessagingSettings).public_url.rstrip("/")).replace("<", "\\u003c")
    return Response(
        _SCRIPT.replace('/*DATA*/""', base),
        media_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "public, max-age=300", **_ANYWHERE},
    )


@pages.get("/places/{key}", policy=public("asked by the script of a site; a signed token names"))
async def show(
    key: Key,
    request: Request,
    tx: Read,
    *,
    language: Annotated[str, Query(max_length=2)] = "",
    who: Annotated[str, Query(max_length=300)] = "",
    consent: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """Return what a visitor sees. Whoever is not known, or does not agree to it, sees what everybody sees."""
    may_know = consent == "1" and request.headers.get("sec-gpc") != "1"
    person_id = person_named(who, tx.use(LinkSigner), now=tx.clock.now()) if may_know else None
    found = await queries.find_shown(tx, key, language=language, person_id=person_id)
    headers = {
        "Cache-Control": "private, no-cache" if who else f"public, max-age={_FRESH_SECONDS}",
        **_ANYWHERE,
    }
    if found is None:
        return Response(status_code=204, headers=headers)
    headers["ETag"] = etag = _etag(tx, found)
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(found.model_dump_json(), media_type="application/json", headers=headers)


def _etag(tx: ReadTx, found: ShownOut) -> str:
    """Return the mark of what is shown; evidence that names somebody ages, so that its day counts, too."""
    day = str(tx.clock.now().date()) if found.is_personal else ""
    text = f"{found.content_id}|{found.version}|{found.language}|{day}|{found.html}"
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'


@pages.post("/seen", policy=public("reported by the script of a site, with the visitor's consent"))
async def seen(request: Request, tx: Write) -> Response:
    """Keep what a visitor did with what they saw; plain text, because browsers send that without asking first."""
    body = await _report(request)
    evidence = Evidence.read(body.evidence, tx.use(LinkSigner), now=tx.clock.now())
    if evidence is None:
        raise EvidenceInvalid("evidence: send what came with the content, within two days")
    if request.headers.get("sec-gpc") != "1":
        await usecases.take_seen(tx, evidence, body, visitor_of(request.scope))
    return Response(status_code=204, headers=_ANYWHERE)


async def _report(request: Request) -> SeenIn:
    try:
        return SeenIn.model_validate(orjson.loads(await request.body()))
    except orjson.JSONDecodeError as error:
        raise EvidenceInvalid(f"This is not JSON: {error}") from error
    except ValidationError as error:
        told = [
            f"{'.'.join(map(str, one['loc'])) or 'body'}: {message_of(one)}"
            for one in error.errors()
        ]
        raise Invalid("; ".join(told[:5])) from error
