"""Forms at the API, and the public pages of forms and confirmations."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Request, Response

from contacts_svc.intake import posts, queries, replies, usecases
from contacts_svc.intake.errors import AnswerInvalid, ProofMissing
from contacts_svc.intake.limits import LeadLimits
from contacts_svc.intake.model import Form
from contacts_svc.intake.schemas import (
    ChallengeOut,
    ClaimOut,
    FileOut,
    FormIn,
    FormOut,
    FormVersionOut,
    GivenAfter,
    LeadIn,
    LeadOut,
)
from contacts_svc.intake.snippet import WORK_ON_PAGE, snippet
from contacts_svc.intake.texts import TEXTS
from contacts_svc.pages import page
from contacts_svc.people.errors import ContactInvalid
from contacts_svc.settings import ContactsSettings
from contacts_svc.visitors import evidence_of
from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import needs, public
from kantis_kit.errors import AppError, Invalid
from kantis_kit.tx import ReadTx, Tx
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.languages import choose_language
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router

router = Router(prefix="/v1/forms", tags=["forms"])
forms = Router(prefix="/f")
confirmations = Router(prefix="/p")
claims = Router(prefix="/v1/contacts/{contact_id}/claims", tags=["forms"])
_ID_BYTES = 16


@router.post("", policy=needs("contacts:write"), status_code=201)
async def make_form(body: FormIn, tx: Write, response: Response) -> FormOut:
    """Make a form; its public address is /f/ and its key."""
    form = await usecases.save_form(tx, body)
    response.headers["Location"] = f"/v1/forms/{form.id}"
    response.headers["ETag"] = etag(form.version)
    return await queries.show_form(tx, form.id)


@router.get("", policy=needs("contacts:read"))
async def list_forms(tx: Read) -> list[FormOut]:
    """List the forms by their keys."""
    return await queries.list_forms(tx)


@router.get("/{form_id}", policy=needs("contacts:read"))
async def get_form(form_id: UUID, tx: Read, response: Response) -> FormOut:
    """Return a form, with the number of machines it has caught."""
    form = await queries.show_form(tx, form_id)
    response.headers["ETag"] = etag(form.version)
    return form


@router.put("/{form_id}", policy=needs("contacts:write"))
async def change_form(
    form_id: UUID, body: FormIn, request: Request, tx: Write, response: Response
) -> FormOut:
    """Replace a form that has not changed since it was read (If-Match); new words of the consent need a new version."""
    form = await queries.lock_form(tx, form_id)
    require_match(request, form.version)
    form = await usecases.save_form(tx, body, form)
    response.headers["ETag"] = etag(form.version)
    return await queries.show_form(tx, form_id)


@router.delete("/{form_id}", policy=needs("contacts:write"), status_code=204)
async def close_form(form_id: UUID, tx: Write) -> None:
    """Close a form: its page is gone, its leads and their proof stay."""
    form = await queries.lock_form(tx, form_id)
    form.is_active, form.version, form.updated_at = False, form.version + 1, tx.clock.now()


@router.get("/{form_id}/versions", policy=needs("contacts:read"))
async def list_versions(form_id: UUID, tx: Read) -> list[FormVersionOut]:
    """Return a form as it was in each of its versions, the newest first."""
    await queries.get_form_by_id(tx, form_id)
    return await queries.list_versions(tx, form_id)


@router.get("/{form_id}/leads", policy=needs("contacts:read"))
async def list_leads(
    form_id: UUID,
    tx: Read,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[LeadOut]:
    """Return what was posted to a form, the newest first: answers, topics and boxes."""
    await queries.get_form_by_id(tx, form_id)
    leads = await queries.list_leads(tx, form_id, before=id_after(cursor), limit=limit)
    return page_by_id(leads, limit)


@claims.get("", policy=needs("contacts:read"))
async def list_claims(contact_id: UUID, tx: Read) -> list[ClaimOut]:
    """List the phones that leads name for a contact and that nobody has confirmed; the newest first."""
    return await queries.list_claims(tx, contact_id)


@router.put("/{form_id}/download", policy=needs("contacts:write"))
async def put_file(
    form_id: UUID,
    request: Request,
    tx: Write,
    file_name: Annotated[str, Query(pattern=r"^[^/\\\x00-\x1f\"]{1,120}$")],
) -> FileOut:
    """Put the file that the form gives away: its bytes as the body, its kind as Content-Type, at most 1 MiB."""
    form = await queries.lock_form(tx, form_id)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    content = await request.body()
    asset = await usecases.keep_file(
        tx, form, file_name=file_name, content_type=kind, content=content
    )
    return FileOut(
        file_name=file_name, content_type=kind, bytes=len(content), made_at=asset.made_at
    )


# -- public pages --------------------------------------------------------------------------------------------------


def _form_page(
    request: Request,
    tx: ReadTx,
    form: Form,
    *,
    problem: str = "",
    values: LeadIn | None = None,
    status: int = 200,
) -> Response:
    language = posts.language_of(request, form)
    consent = form.consent[language.value]
    origins = sorted({posts.origin_of(target) for target in form.redirects})
    return page(
        "form.html",
        language=language,
        texts=TEXTS[language],
        status=status,
        form_targets=origins,
        title=form.titles[language.value],
        consent=consent,
        questions=form.fields,
        topics=form.topics,
        boxes=form.boxes,
        bits=form.proof_of_work_bits,
        script=WORK_ON_PAGE if form.proof_of_work_bits else "",
        visitor=posts.visitor_of(request),
        asks_phone=bool({"sms", "phone"} & set(form.channels)),
        asks_address="letter" in form.channels,
        started=posts.stamp(tx.use(LinkSigner), form.id, tx.clock.now()),
        action=f"/f/{form.key}?lang={language.value}",
        next_page=request.query_params.get("next", "")[:500],
        problem=problem,
        values=values or LeadIn(),
    )


@forms.get("/{form_key}", policy=public("a signup form is for everybody"))
async def show_form(form_key: str, request: Request, tx: Read) -> Response:
    """Show the page of a form; changes nothing."""
    return _form_page(request, tx, await queries.get_form(tx, form_key))


@forms.get("/{form_key}/snippet.js", policy=public("shown by other sites"))
async def form_snippet(form_key: str, request: Request, tx: Read) -> Response:
    """Return the script that shows the form on another site and posts it from there."""
    form = await queries.get_form(tx, form_key)
    language = posts.language_of(request, form)
    script = snippet(form, language, public_url=tx.settings(ContactsSettings).public_url)
    return Response(
        script,
        media_type="text/javascript; charset=utf-8",
        headers={
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


@forms.get("/{form_key}/challenge", policy=public("asked by other sites before they post"))
async def give_challenge(
    form_key: str, request: Request, tx: Read, response: Response
) -> ChallengeOut:
    """Give a browser what it must answer before it may post; each is worth one post, and a day old at most."""
    form = await queries.get_form(tx, form_key)
    headers = posts.cors_headers(request, form, tx.settings(ContactsSettings).public_url)
    response.headers.update(headers)
    started = posts.stamp(tx.use(LinkSigner), form.id, tx.clock.now())
    return ChallengeOut(started=started, bits=form.proof_of_work_bits)


@forms.options("/{form_key}", policy=public("browsers ask before they post from another site"))
async def may_post(form_key: str, request: Request, tx: Read) -> Response:
    """Tell a browser whether a site may post to the form."""
    form = await queries.get_form(tx, form_key)
    headers = posts.cors_headers(request, form, tx.settings(ContactsSettings).public_url)
    return Response(status_code=204, headers=dict(headers))


@forms.post("/{form_key}", policy=public("a signup form is for everybody"))
async def take_lead(form_key: str, request: Request, tx: Write) -> Response:
    """Take a lead, as a form or as JSON. The answer is the same whoever it is and whatever is known of them."""
    form = await queries.get_form(tx, form_key)
    headers = posts.cors_headers(request, form, tx.settings(ContactsSettings).public_url)
    try:
        posts.count_visitor(request, tx.use(LeadLimits))
        if posts.is_json(request):
            return await _take_json(request, tx, form, headers)
        return await _take_form(request, tx, form)
    except AppError as error:
        # A listed site may read why; the handler of problems does not know the form.
        error.headers = {**headers, **error.headers}
        raise


async def _take_json(request: Request, tx: Tx, form: Form, headers: Mapping[str, str]) -> Response:
    body = await posts.read_json(request)
    language = body.language if body.language in queries.languages_of(form) else None
    language = language or posts.language_of(request, form)
    if not body.website and (body.started or form.proof_of_work_bits):
        taken = _seconds_taken(request, tx, form, body)
        if taken is None:
            raise ProofMissing(
                f"started: this challenge is not ours, of another form or old; get one at /f/{form.key}/challenge"
            )
    await _keep(request, tx, form, body, language)
    link = await _link(tx, form, GivenAfter.LEAD)
    return replies.as_json(form, body, language, link=link, headers=headers)


def _seconds_taken(request: Request, tx: Tx, form: Form, body: LeadIn) -> float | None:
    return posts.read_stamp(request, tx.use(LinkSigner), form, body, tx.clock.now())


async def _link(tx: ReadTx, form: Form, after: GivenAfter) -> str | None:
    return await usecases.link_to_file(tx, form) if usecases.gives(form, after) else None


async def _file(
    tx: ReadTx, form: Form, after: GivenAfter, language: Language
) -> Mapping[str, str] | None:
    path = await _link(tx, form, after)
    if path is None or form.download is None:
        return None
    titles = form.download["titles"]
    return {"path": path, "title": titles.get(language.value) or titles[form.default_language]}


async def _take_form(request: Request, tx: Tx, form: Form) -> Response:
    language = posts.language_of(request, form)
    texts = TEXTS[language]
    try:
        body = await posts.read_form(request)
    except Invalid:
        return _form_page(request, tx, form, problem=texts["bad_input"], status=422)
    if not body.website:
        taken = _seconds_taken(request, tx, form, body)
        if taken is None or taken < tx.settings(ContactsSettings).form_minimum_seconds:
            return _form_page(
                request, tx, form, problem=texts["once_more"], values=body, status=422
            )
    try:
        await _keep(request, tx, form, body, body.language or language)
    except ContactInvalid as error:
        field = error.errors[0]["field"] if error.errors else ""
        problem = texts.get(f"bad_{field}", texts["need"])
        return _form_page(request, tx, form, problem=problem, values=body, status=422)
    except (AnswerInvalid, ProofMissing) as error:
        told = "once_more" if isinstance(error, ProofMissing) else "bad_answer"
        return _form_page(request, tx, form, problem=texts[told], values=body, status=422)
    file = await _file(tx, form, GivenAfter.LEAD, language)
    return replies.as_page(form, body, language, file=file)


async def _keep(request: Request, tx: Tx, form: Form, body: LeadIn, language: Language) -> None:
    if body.website:
        # A machine: it is told what everybody is told, and only counted.
        await usecases.count_machine(tx, form)
        return
    for address in posts.addresses_named(body, form.country):
        posts.count_address(request, tx.use(LeadLimits), address)
    if language not in queries.languages_of(form):
        language = Language(form.default_language)
    await usecases.take_lead(tx, form, body, language=language, evidence=evidence_of(request))


def _question_id(tx: ReadTx, token: str) -> UUID | None:
    payload = tx.use(LinkSigner).read("confirm", token, now=tx.clock.now())
    return UUID(bytes=payload) if payload is not None and len(payload) == _ID_BYTES else None


async def _question(tx: ReadTx, token: str) -> queries.OpenQuestion | None:
    question_id = _question_id(tx, token)
    return await queries.find_question(tx, question_id) if question_id is not None else None


async def _confirm_page(
    request: Request, tx: ReadTx, question: queries.OpenQuestion, *, is_done: bool
) -> Response:
    language = Language(question.confirmation.language)
    if "lang" in request.query_params:
        language = choose_language(request, list(Language), language)
    title = (
        question.form.titles.get(language.value)
        or question.form.titles[question.form.default_language]
    )
    return page(
        "confirm.html",
        language=language,
        texts=TEXTS[language],
        title=title,
        words=question.confirmation.text_shown,
        is_done=is_done,
        file=await _file(tx, question.form, GivenAfter.CONFIRMATION, language) if is_done else None,
    )


def _dead(request: Request) -> Response:
    language = choose_language(request, list(Language), Language.EN)
    return page("dead.html", language=language, texts=TEXTS[language], status=404)


@confirmations.get(
    "/confirm/{token}", policy=public("opened from a mail; the token names the question")
)
async def show_confirmation(token: str, request: Request, tx: Read) -> Response:
    """Show what would be confirmed; changes nothing, because scanners of mail open links too."""
    question = await _question(tx, token)
    if question is None:
        return _dead(request)
    is_done = question.confirmation.confirmed_at is not None
    return await _confirm_page(request, tx, question, is_done=is_done)


@confirmations.post(
    "/confirm/{token}", policy=public("pressed on the page; the token names the question")
)
async def confirm(token: str, request: Request, tx: Write) -> Response:
    """Enter the owner's yes; pressing again changes nothing."""
    question = await _question(tx, token)
    if question is None:
        return _dead(request)
    await usecases.confirm(tx, question, evidence=evidence_of(request))
    return await _confirm_page(request, tx, question, is_done=True)


@confirmations.get("/download/{token}", policy=public("the token names the file, and ends"))
async def get_file(token: str, request: Request, tx: Read) -> Response:
    """Give the file away, as long as the link lives."""
    payload = tx.use(LinkSigner).read(usecases.DOWNLOAD, token, now=tx.clock.now())
    asset = None
    if payload is not None and len(payload) == _ID_BYTES:
        asset = await queries.find_file(tx, UUID(bytes=payload))
    if asset is None:
        return _dead(request)
    return Response(
        asset.content,
        media_type=asset.content_type,
        headers={
            # Never shown as a page of ours, whatever it holds.
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(asset.file_name)}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )
