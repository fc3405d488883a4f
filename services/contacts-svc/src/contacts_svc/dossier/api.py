"""Everything about a person, at the API."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.responses import HTMLResponse

from contacts_svc.dossier import queries, usecases
from contacts_svc.dossier.errors import DossierUnknown
from contacts_svc.dossier.schemas import AskedOut, DossierIn, DossierOut, WholeDossierOut
from contacts_svc.dossier.texts import GROUPS, ORDER, TEXTS
from contacts_svc.pages import page
from contacts_svc.selfservice.links import person_of
from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import needs, public
from kantis_kit.tx import ReadTx
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.languages import choose_language
from kantis_kit.web.router import Router

router = Router(prefix="/v1/contacts/{contact_id}/export", tags=["privacy"])
everything = Router(prefix="/v1/privacy/dossiers", tags=["privacy"])
pages = Router(prefix="/p/data/{token}/everything")
_OPENED = public("opened by a signed link; the token names the person")
_SENT = public("sent from a page that a signed link has opened; the token names the person")


# Who looked at everything about a person is written down: these two need a transaction that writes.
@router.get("", policy=needs("contacts:write", privileged=True))
async def export_contact(contact_id: UUID, tx: Write) -> DossierOut:
    """Give everything that contacts holds about a person."""
    return await queries.gather(tx, contact_id)


@router.get(
    "/page",
    policy=needs("contacts:write", privileged=True),
    response_model=None,
    response_class=HTMLResponse,
)
async def show_export(contact_id: UUID, request: Request, tx: Write) -> Response:
    """Give the same as a page to read and print, in the language asked for by `?lang=`, else that of the person."""
    return _page(request, await queries.gather(tx, contact_id))


@everything.post("", policy=needs("contacts:write", privileged=True), status_code=202)
async def ask_for_everything(body: DossierIn, tx: Write, response: Response) -> AskedOut:
    """Ask every service what it holds of a contact; `Location` leads to the answers, which take seconds to minutes."""
    row = await usecases.ask(tx, body.contact_id)
    response.headers["Location"] = f"/v1/privacy/dossiers/{row.id}"
    return AskedOut(dossier_id=row.id, person_id=row.person_id, expires_at=row.expires_at)


@everything.get("/{dossier_id}", policy=needs("contacts:write", privileged=True))
async def get_everything(dossier_id: UUID, tx: Write) -> WholeDossierOut:
    """Give everything that is held about a person over all services, as far as they have answered."""
    tx.audit("contacts.dossier_read", str(dossier_id))
    return await queries.get_dossier(tx, dossier_id)


@everything.get(
    "/{dossier_id}/page",
    policy=needs("contacts:write", privileged=True),
    response_model=None,
    response_class=HTMLResponse,
)
async def show_everything(dossier_id: UUID, request: Request, tx: Write) -> Response:
    """Give the same as a page to read and print."""
    tx.audit("contacts.dossier_read", str(dossier_id))
    return _whole_page(request, await queries.get_dossier(tx, dossier_id))


@pages.get("", policy=_OPENED)
async def show_own(token: str, request: Request, tx: Read) -> Response:
    """Show a person everything that they have asked for; changes nothing."""
    person_id = person_of(tx.use(LinkSigner), "data", token, now=tx.clock.now())
    found = await _own(tx, person_id)
    if person_id is None:
        raise DossierUnknown("The link is not ours, or its time is over: ask for a new one")
    if found is None:
        language = choose_language(request, list(Language), Language.EN)
        return page(
            "dossier.html",
            language=language,
            texts=TEXTS[language],
            profile={},
            groups=[],
            **{**_PLAIN, "ask": True},
        )
    file = f"/p/data/{token}/everything/file" if found.is_complete else ""
    return _whole_page(request, found, file=file)


@pages.post("", policy=_SENT)
async def ask_own(token: str, tx: Write) -> Response:
    """Ask every service what it holds of the person who has opened the link."""
    person_id = person_of(tx.use(LinkSigner), "data", token, now=tx.clock.now())
    if person_id is None:
        raise DossierUnknown("The link is not ours, or its time is over: ask for a new one")
    await usecases.ask(tx, person_id)
    return RedirectResponse(f"/p/data/{token}/everything", status_code=303)


@pages.get("/file", policy=_OPENED)
async def download_own(token: str, tx: Read) -> Response:
    """Give a person everything over all services as a file, once all have answered."""
    found = await _own(tx, person_of(tx.use(LinkSigner), "data", token, now=tx.clock.now()))
    if found is None or not found.is_complete:
        raise DossierUnknown("Nothing was asked for, or not every service has answered yet")
    return Response(
        orjson.dumps(found.model_dump(mode="json"), option=orjson.OPT_INDENT_2),
        media_type="application/json",
        headers={
            "Content-Disposition": 'attachment; filename="everything.json"',
            "Cache-Control": "no-store",
        },
    )


async def _own(tx: ReadTx, person_id: UUID | None) -> WholeDossierOut | None:
    latest = await queries.find_latest(tx, person_id) if person_id else None
    return await queries.get_dossier(tx, latest) if latest else None


_PLAIN: dict[str, Any] = {"waiting": False, "ask": False, "file": ""}
Groups = list[tuple[str, list[tuple[str, list[dict[str, Any]]]]]]


def _language(request: Request, found: DossierOut) -> Language:
    own = Language(found.profile["language"])
    asked = request.query_params.get("lang", "")
    return choose_language(request, list(Language), own) if asked else own


def _groups(found: DossierOut, texts: Mapping[str, str]) -> Groups:
    groups: Groups = [
        (
            texts[heading],
            [
                (name, rows)
                for name, rows in found.records.items()
                if GROUPS.get(name, ORDER[-1]) == heading
            ],
        )
        for heading in ORDER
    ]
    return [(heading, kinds) for heading, kinds in groups if kinds]


def _page(request: Request, found: DossierOut) -> Response:
    language = _language(request, found)
    texts = TEXTS[language]
    return page(
        "dossier.html",
        language=language,
        texts=texts,
        profile=found.profile,
        groups=_groups(found, texts),
        **_PLAIN,
    )


def _whole_page(request: Request, found: WholeDossierOut, *, file: str = "") -> Response:
    language = _language(request, found.contacts)
    texts = TEXTS[language]
    more: Groups = [
        (texts[f"{one.service}_service"], list(one.records.items()))
        for one in found.services
        if one.records
    ]
    return page(
        "dossier.html",
        language=language,
        texts=texts,
        profile=found.contacts.profile,
        groups=_groups(found.contacts, texts) + more,
        **{**_PLAIN, "waiting": not found.is_complete, "file": file},
    )
