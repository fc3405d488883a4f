"""Templates, their versions, and a preview that can do no harm."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from kantis_contracts.values import Language
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router
from messaging_svc.products.queries import blocks_of
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates import checking, queries, usecases
from messaging_svc.templates.errors import CannotRender, TemplateRefused
from messaging_svc.templates.imagined import sample_fields
from messaging_svc.templates.rendering import Compiled
from messaging_svc.templates.schemas import (
    CheckIn,
    CheckOut,
    FindingList,
    FindingOut,
    PreviewIn,
    SaveIn,
    Severity,
    TemplateIn,
    TemplateOut,
    VersionIn,
    VersionOut,
)

router = Router(prefix="/v1/templates", tags=["templates"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

PREVIEW_HEADERS = {
    # `sandbox` without exceptions: no script, no form, no access to the origin that the console runs on.
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'",
    "X-Frame-Options": "SAMEORIGIN",
}


@router.post("", policy=needs("messaging:write"), status_code=201)
async def create_template(body: TemplateIn, tx: Write, response: Response) -> TemplateOut:
    """Save a new template; it is checked and compiled before it is stored."""
    template_id = await usecases.create_template(tx, body)
    response.headers["Location"] = f"/v1/templates/{template_id}"
    return await queries.get_template(tx, template_id)


@router.get("", policy=needs("messaging:read"))
async def list_templates(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[TemplateOut]:
    """Return the templates that are in use."""
    found = await queries.list_templates(tx, after=id_after(cursor), limit=limit)
    return page_by_id(found, limit)


@router.get("/{template_id}", policy=needs("messaging:read"))
async def get_template(template_id: UUID, tx: Read) -> TemplateOut:
    """Return a template."""
    return await queries.get_template(tx, template_id)


@router.put("/{template_id}", policy=needs("messaging:write"))
async def save_version(template_id: UUID, body: SaveIn, tx: Write) -> TemplateOut:
    """Save a new version; launches that have begun keep the one they began with."""
    await usecases.save_version(tx, template_id, body)
    return await queries.get_template(tx, template_id)


@router.delete("/{template_id}", policy=needs("messaging:write"), status_code=204)
async def archive_template(template_id: UUID, tx: Write) -> None:
    """Take a template out of use; what was planned with it is still sent."""
    await usecases.archive_template(tx, template_id)


@router.get("/{template_id}/versions/{number}", policy=needs("messaging:read"))
async def get_version(template_id: UUID, number: Number, tx: Read) -> VersionOut:
    """Return a version as it was written."""
    version, _ = await queries.get_version(tx, template_id, number)
    return version


@router.post("/{template_id}/versions/{number}/activate", policy=needs("messaging:write"))
async def activate_version(template_id: UUID, number: Number, tx: Write) -> TemplateOut:
    """Let a draft or an older version stand."""
    await usecases.activate_version(tx, template_id, number)
    return await queries.get_template(tx, template_id)


@router.post("/lint", policy=needs("messaging:read"))
async def lint_texts(body: VersionIn) -> FindingList:
    """Return what is wrong, or could be better, with texts that are not saved yet."""
    found = usecases.find_faults(body.languages, body.message_class)
    return FindingList(
        is_ready=all(one.severity != Severity.ERROR for one in found),
        findings=[FindingOut.model_validate(one) for one in found],
    )


@router.post("/{template_id}/check", policy=needs("messaging:read"))
async def check_launch(template_id: UUID, body: CheckIn, tx: Read) -> CheckOut:
    """Return what a launch would meet with this template: faults, missing languages, fields that stay empty."""
    version, stored = await queries.get_version(tx, template_id, body.version)
    return await checking.check(tx, version, Compiled.from_json(stored), body)


@router.post("/{template_id}/preview", policy=needs("messaging:read"), response_class=Response)
async def preview_template(template_id: UUID, body: PreviewIn, tx: Read) -> Response:
    """Return the mail as a person, or an imagined one, would get it, as a sandboxed page."""
    if body.languages:
        await queries.get_template(tx, template_id)
        compiled, skus = Compiled(usecases.compile_all(body.languages)), body.products
    else:
        version, stored = await queries.get_version(tx, template_id, body.version)
        skus = version.products
        compiled = Compiled.from_json(stored)
    wanted, name = body.language.value, body.preferred_name
    if body.person_id:
        wanted, name = await queries.get_reader(tx, body.person_id)
    try:
        language: Language = compiled.language_for(wanted)
    except CannotRender as error:
        raise TemplateRefused(f"There is nothing to show: {error}") from error
    fields = sample_fields(
        compiled,
        language,
        preferred_name=name,
        offer_name=body.offer_name,
        price_minor=body.offer_price_minor,
        currency=body.currency,
        company=tx.settings(MessagingSettings).company,
        products=[*(await blocks_of(tx, skus)).values()] if skus else None,
    )
    shown = compiled.render(language, fields)
    return Response(
        shown.html if body.part == "html" else shown.text,
        media_type=f"text/{'html' if body.part == 'html' else 'plain'}",
        headers={**PREVIEW_HEADERS, "Content-Language": language.value},
    )
