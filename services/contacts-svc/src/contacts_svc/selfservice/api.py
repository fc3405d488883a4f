"""A person's own pages, opened by signed links; and the links themselves, for whoever sends them."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from babel.dates import format_datetime
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from contacts_svc.pages import page
from contacts_svc.people import queries as people
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.people.schemas import ContactOut
from contacts_svc.permissions import queries as permissions
from contacts_svc.permissions.boxes import list_allowed
from contacts_svc.selfservice import queries, usecases
from contacts_svc.selfservice.forms import (
    MOST_FIELDS,
    Shown,
    boxes_of,
    label_of,
    offered,
    read_wishes,
    shown_before,
)
from contacts_svc.selfservice.links import (
    PAGES,
    asker_of,
    is_held,
    path_by_sender,
    path_to,
    person_of,
    way_to,
)
from contacts_svc.selfservice.masks import masked
from contacts_svc.selfservice.schemas import PagesOut
from contacts_svc.selfservice.texts import TEXTS
from contacts_svc.visitors import evidence_of
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import needs, public
from kantis_kit.errors import Invalid
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.contact import CONTACT_PURPOSE
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.languages import choose_language
from kantis_kit.web.router import Router

router = Router(prefix="/v1/contacts/{contact_id}/pages", tags=["self-service"])
pages = Router(prefix="/p")
_OPENED = public("opened by a signed link; the token names the person")
_SENT = public("sent from a page that a signed link has opened; the token names the person")
_NAMES = {
    Language.NB: "Norsk",
    Language.SV: "Svenska",
    Language.DA: "Dansk",
    Language.FI: "Suomi",
    Language.EN: "English",
}
_LONGEST = {"preferred_name": 200, "salutation": 40}


@router.get("", policy=needs("contacts:write", privileged=True))
async def list_pages(contact_id: UUID, tx: Read) -> PagesOut:
    """Return the paths of a contact's own pages, to be sent to that contact and to nobody else."""
    await people.get_contact(tx, contact_id)
    signer, now = tx.use(LinkSigner), tx.clock.now()
    return PagesOut(**{name: path_to(signer, name, contact_id, now=now) for name in PAGES})


class _Visit:
    """A page that somebody opens: whose it is, and in which language."""

    def __init__(self, tx: ReadTx, request: Request, name: str, contact: ContactOut) -> None:
        self.contact = contact
        own = Language(contact.language)
        asked = "lang" in request.query_params
        self.language = choose_language(request, list(Language), own) if asked else own
        self.texts = TEXTS[self.language]
        signer = tx.use(LinkSigner)
        self.asked = self.language.value if asked else ""
        self.action = path_by_sender(signer, contact.id, self.asked)
        self.nav = [
            {"name": one, "href": way_to(signer, one, contact.id), "here": one == name}
            for one in PAGES
        ]
        self.who = signer.make(CONTACT_PURPOSE, contact.id.bytes)
        self.saved = request.query_params.get("saved") == "1"
        self.sent = request.query_params.get("sent") == "1"

    def show(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return page(
            template,
            language=self.language,
            texts=self.texts,
            status=status,
            nav=self.nav,
            who=self.who,
            saved=self.saved,
            **{"problem": "", **values},
        )


async def _open(tx: ReadTx, request: Request, name: str, token: str) -> _Visit | None:
    person_id = person_of(tx.use(LinkSigner), name, token, now=tx.clock.now())
    return await _visit(tx, request, name, person_id)


async def _open_to_ask(tx: ReadTx, request: Request, name: str, token: str) -> _Visit | None:
    person_id = asker_of(tx.use(LinkSigner), name, token, now=tx.clock.now())
    return await _visit(tx, request, name, person_id)


async def _visit(tx: ReadTx, request: Request, name: str, person_id: UUID | None) -> _Visit | None:
    if person_id is None:
        return None
    try:
        return _Visit(tx, request, name, await people.get_contact(tx, person_id))
    except ContactUnknown:
        return None


def _dead(request: Request) -> Response:
    language = choose_language(request, list(Language), Language.EN)
    return page("link_dead.html", language=language, texts=TEXTS[language], status=404)


async def _sent(request: Request) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    return {name: value for name, value in form.items() if isinstance(value, str)}


@pages.get("/preferences/{token}", policy=_OPENED)
async def show_preferences(token: str, request: Request, tx: Read) -> Response:
    """Show what a person allows and how they want to be written to; changes nothing."""
    visit = await _open(tx, request, "preferences", token)
    if visit is None:
        return _dead(request)
    problem = request.query_params.get("problem") == "hours"
    return await _preferences(tx, visit, visit.texts["problem_hours"] if problem else "")


async def _preferences(tx: ReadTx, visit: _Visit, problem: str) -> Response:
    shown = Shown(
        visit.contact,
        await list_allowed(tx, visit.contact.id, boxes_of(visit.contact)),
        await permissions.list_topics(tx, open_only=True),
        await permissions.get_wishes(tx, visit.contact.id),
        visit.language,
        visit.texts,
        tx.clock.now(),
    )
    return visit.show(
        "preferences.html",
        problem=problem,
        action=visit.action,
        **shown.values(),
    )


@pages.post("/preferences/{token}", policy=_SENT)
async def save_preferences(token: str, request: Request, tx: Write) -> Response:
    """Enter what the person has changed, once its noes are in force where messages are sent.

    A form that was not sent from there, with its stamp, is sent there first, as it is (307).
    """
    visit = await _open(tx, request, "preferences", token)
    if visit is None:
        return _dead(request)
    stamp = request.query_params.get("held", "")
    if not is_held(tx.use(LinkSigner), stamp, visit.contact.id, now=tx.clock.now()):
        return RedirectResponse(visit.action, status_code=307)
    sent = await _sent(request)
    wishes, is_whole = None, True
    if "wishes" in sent:
        wishes, is_whole = read_wishes(
            sent,
            await permissions.get_wishes(tx, visit.contact.id),
            await permissions.list_topics(tx, open_only=True),
            now=tx.clock.now(),
        )
    boxes = offered(visit.contact, sent)
    nothing = "everything" in sent
    await usecases.keep_choices(
        tx,
        visit.contact.id,
        wanted={key: f"{key[0].value}.{key[1].value}" in sent and not nothing for key in boxes},
        before=None
        if nothing
        else shown_before(sent, await list_allowed(tx, visit.contact.id, boxes)),
        text_shown={key: label_of(visit.texts, *key) for key in boxes},
        evidence=evidence_of(request),
        wishes=wishes,
    )
    shown = {"saved": "1"} if is_whole else {"problem": "hours"}
    asked = {"lang": visit.asked} if visit.asked else {}
    return RedirectResponse(
        f"/p/preferences/{token}?{urlencode({**shown, **asked})}", status_code=303
    )


@pages.get("/profile/{token}", policy=_OPENED)
async def show_profile(token: str, request: Request, tx: Read) -> Response:
    """Ask what a person wants to be called; changes nothing."""
    visit = await _open(tx, request, "profile", token)
    return _profile(visit) if visit else _dead(request)


def _profile(visit: _Visit, *, problem: str = "") -> Response:
    contact, texts = visit.contact, visit.texts
    # Mails are forwarded, with the link: enough to recognise what is known, too little to learn it.
    known = [
        (texts["full_name"], contact.full_name),
        (texts["known_email"], masked(contact.email)),
        (texts["known_phone"], masked(contact.phone)),
        (texts["known_address"], contact.address.city if contact.address else ""),
    ]
    return visit.show(
        "self_profile.html",
        status=422 if problem else 200,
        problem=problem,
        preferred_name=contact.preferred_name,
        salutation=contact.salutation,
        languages=[(language.value, name) for language, name in _NAMES.items()],
        chosen_language=contact.language,
        known=[(label, value) for label, value in known if value],
    )


@pages.post("/profile/{token}", policy=_SENT)
async def save_profile(token: str, request: Request, tx: Write) -> Response:
    """Keep what the person wants to be called."""
    visit = await _open(tx, request, "profile", token)
    if visit is None:
        return _dead(request)
    sent = await _sent(request)
    fields: dict[str, str] = {
        name: sent[name].strip() for name in _LONGEST if name in sent and "\x00" not in sent[name]
    }
    if sent.get("language") in set(Language):
        fields["language"] = sent["language"]
    if any(len(fields.get(name, "")) > longest for name, longest in _LONGEST.items()):
        return _profile(visit, problem=visit.texts["profile_problem"])
    try:
        async with tx.savepoint():
            await usecases.keep_profile(tx, visit.contact.id, fields)
    except Invalid:
        return _profile(visit, problem=visit.texts["profile_problem"])
    return RedirectResponse(f"/p/profile/{token}?saved=1", status_code=303)


@pages.get("/consents/{token}", policy=_OPENED)
async def show_consents(token: str, request: Request, tx: Read) -> Response:
    """Show what a person has said yes or no to, with its history."""
    visit = await _open(tx, request, "consents", token)
    if visit is None:
        return _dead(request)
    texts, contact = visit.texts, visit.contact
    zone = ZoneInfo(contact.time_zone or "UTC")

    def what(channel: Channel, purpose: Purpose) -> str:
        return label_of(texts, channel, purpose)

    now = [
        {
            "what": what(one.channel, one.purpose),
            "answer": f"{texts[f'state_{one.state.value}']} {texts.get(f'basis_{one.legal_basis}', '')}",
        }
        for one in await permissions.list_permissions(tx, contact.id)
    ]
    history = [
        {
            "at": format_datetime(
                one.occurred_at, "medium", tzinfo=zone, locale=visit.language.value
            ),
            "what": what(one.channel, one.purpose),
            "answer": texts[f"state_{one.state.value}"],
            "where": one.source,
            "words": one.text_shown,
        }
        for one in reversed(await permissions.list_proof(tx, contact.id))
    ]
    return visit.show("self_consents.html", now=now, history=history)


def _ask(visit: _Visit, name: str) -> Response:
    """Offer to mail a link to a page whose own token lives for an hour."""
    return visit.show(
        "self_ask.html",
        title=visit.texts[f"{name}_title"],
        intro=visit.texts["erase_intro"] if name == "erase" else "",
        address=masked(visit.contact.email),
        sent=visit.sent,
    )


async def _mail(tx: Tx, visit: _Visit, name: str, token: str) -> Response:
    await usecases.ask_for_page(tx, visit.contact, name)
    return RedirectResponse(f"/p/{name}/{token}?sent=1", status_code=303)


@pages.get("/data/{token}", policy=_OPENED)
async def show_data(token: str, request: Request, tx: Read) -> Response:
    """Offer what is known of a person as a file; by a link from the other pages, offer to mail the one that does."""
    visit = await _open(tx, request, "data", token)
    if visit is not None:
        here = f"/p/data/{token}"
        return visit.show("self_data.html", file=f"{here}/file", everything=f"{here}/everything")
    asker = await _open_to_ask(tx, request, "data", token)
    return _ask(asker, "data") if asker else _dead(request)


@pages.post("/data/{token}", policy=_SENT)
async def ask_for_data(token: str, request: Request, tx: Write) -> Response:
    """Mail the link by which the file is fetched to the person's own address."""
    asker = await _open_to_ask(tx, request, "data", token)
    return await _mail(tx, asker, "data", token) if asker else _dead(request)


@pages.get("/data/{token}/file", policy=_OPENED)
async def download_data(token: str, request: Request, tx: Read) -> Response:
    """Give what the register of contacts knows of a person, as a file."""
    visit = await _open(tx, request, "data", token)
    if visit is None:
        return _dead(request)
    found = await queries.gather_own_data(tx, visit.contact.id)
    body = orjson.dumps(found.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    return Response(
        body,
        media_type="application/json",
        headers={
            "Content-Disposition": 'attachment; filename="my-data.json"',
            "Cache-Control": "no-store",
        },
    )


@pages.get("/erase/{token}", policy=_OPENED)
async def show_erase(token: str, request: Request, tx: Read) -> Response:
    """Ask whether a person is sure, or whether to mail them the link that asks; erases nothing."""
    visit = await _open(tx, request, "erase", token)
    if visit is not None:
        return visit.show("self_erase.html")
    asker = await _open_to_ask(tx, request, "erase", token)
    return _ask(asker, "erase") if asker else _dead(request)


@pages.post("/erase/{token}", policy=_SENT)
async def erase(token: str, request: Request, tx: Write) -> Response:
    """Forget the person, when they have said that they are sure, by a link that was mailed to them; else mail it."""
    visit = await _open(tx, request, "erase", token)
    if visit is None:
        asker = await _open_to_ask(tx, request, "erase", token)
        return await _mail(tx, asker, "erase", token) if asker else _dead(request)
    if (await _sent(request)).get("sure") != "yes":
        return visit.show("self_erase.html", status=422, problem=visit.texts["erase_problem"])
    await usecases.erase(tx, visit.contact.id)
    return visit.show("self_erased.html")
