"""Sites and visits at the API, the script for sites, and what it reports."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Path as InPath
from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from contacts_svc.facts.queries import living
from contacts_svc.people import queries as people
from contacts_svc.settings import ContactsSettings
from contacts_svc.visitors import evidence_of
from contacts_svc.visits import queries, usecases
from contacts_svc.visits.errors import ReportUnreadable, SiteForeign
from contacts_svc.visits.model import Site, is_machine
from contacts_svc.visits.schemas import (
    SeenIn,
    SeenOut,
    SiteIn,
    SiteKey,
    SiteOut,
    VisitLink,
    VisitOut,
)
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import needs, public
from kantis_kit.errors import Invalid
from kantis_kit.tx import ReadTx
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page
from kantis_kit.web.problems import message_of
from kantis_kit.web.router import Router

router = Router(prefix="/v1/visits", tags=["visits"])
of_contact = Router(prefix="/v1/contacts/{contact_id}/visits", tags=["visits"])
pages = Router(prefix="/v")

_SCRIPT = (Path(__file__).parent / "pages" / "site.js").read_text(encoding="utf-8")
_ID_BYTES = 16
_LINK_LIVES = timedelta(days=30)


def _shown(tx: ReadTx, site: Site) -> SiteOut:
    address = f"{tx.settings(ContactsSettings).public_url.rstrip('/')}/v/{site.key}.js"
    return SiteOut(**site.model_dump(), tag=f'<script src="{address}" defer></script>')


@router.put("/sites/{key}", policy=needs("contacts:write"))
async def save_site(key: Annotated[SiteKey, InPath()], body: SiteIn, tx: Write) -> SiteOut:
    """Make a site, or say anew from where its script may report; the answer holds the tag for its pages."""
    return _shown(tx, await usecases.save_site(tx, key, body))


@router.get("/sites", policy=needs("contacts:read"))
async def list_sites(tx: Read) -> list[SiteOut]:
    """List the sites by their keys."""
    return [_shown(tx, site) for site in await queries.list_sites(tx)]


@of_contact.get("", policy=needs("contacts:read"))
async def list_visits(
    contact_id: UUID,
    tx: Read,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[VisitOut]:
    """Return what a contact has looked at on our sites, the newest first."""
    await people.get_contact(tx, contact_id)
    person_id = await people.resolve(tx, contact_id)
    return await queries.list_visits(tx, person_id, cursor=cursor, limit=limit)


@of_contact.post("/link", policy=needs("contacts:write"))
async def make_link(contact_id: UUID, tx: Write) -> VisitLink:
    """Make what a link to a site carries (`?kv=`), so that the contact is known there; it lives for a month."""
    await people.get_contact(tx, contact_id)
    until = tx.clock.now() + _LINK_LIVES
    token = tx.use(LinkSigner).make(usecases.LINK, contact_id.bytes, expires_at=until)
    return VisitLink(token=token, expires_at=until)


# -- public ----------------------------------------------------------------------------------------------------------


@pages.get("/{site_key}.js", policy=public("shown by the company's sites"))
async def site_script(site_key: str, tx: Read) -> Response:
    """Return the script that reports visits; it keeps and sends nothing before the visitor agrees."""
    site = await queries.get_site(tx, site_key)
    address = tx.settings(ContactsSettings).public_url.rstrip("/")
    told = orjson.dumps({"site": site.key, "address": f"{address}/v/seen"}).decode()
    return Response(
        _SCRIPT.replace("/*DATA*/{}", told.replace("<", "\\u003c")),
        media_type="text/javascript; charset=utf-8",
        headers={
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


def _allowed(request: Request, site: Site) -> dict[str, str]:
    """Return what lets the site's script read the answer. Raises `SiteForeign`."""
    origin = request.headers.get("origin", "")
    if origin not in site.origins:
        raise SiteForeign("Add the site to the origins")
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


async def _report(request: Request) -> SeenIn:
    """Read a report; as plain text too, because browsers send that without asking first."""
    try:
        return SeenIn.model_validate(orjson.loads(await request.body()))
    except orjson.JSONDecodeError as error:
        raise ReportUnreadable(f"This is not JSON: {error}") from error
    except ValidationError as error:
        told = [
            f"{'.'.join(map(str, one['loc'])) or 'body'}: {message_of(one)}"
            for one in error.errors()
        ]
        raise Invalid("; ".join(told[:5])) from error


@pages.post("/seen", policy=public("reported by the script of a site, with the visitor's consent"))
async def seen(request: Request, tx: Write) -> Response:
    """Keep what a visitor who allows it has looked at; machines and browsers that object are answered, not kept."""
    body = await _report(request)
    headers = _allowed(request, await queries.get_site(tx, body.site))
    visitor = body.visitor
    objects = request.headers.get("sec-gpc") == "1"
    if not body.consent or objects:
        await usecases.forget_visitor(tx, visitor)
    elif not is_machine(request.headers.get("user-agent", "")):
        if not body.consent_version:
            raise Invalid("consent_version: say which words the visitor has agreed to")
        visitor = await usecases.keep_views(
            tx, body, evidence=evidence_of(request), person_id=await _named(tx, body.token)
        )
    return JSONResponse(SeenOut(visitor=visitor).model_dump(mode="json"), headers=headers)


async def _named(tx: ReadTx, token: str) -> UUID | None:
    payload = tx.use(LinkSigner).read(usecases.LINK, token, now=tx.clock.now()) if token else None
    if payload is None or len(payload) != _ID_BYTES:
        return None
    named = UUID(bytes=payload)
    return (await living(tx, [named])).get(named)
