"""Templates, their versions, and a preview that can do no harm."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from kantis_contracts.values import Language
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, encode_cursor, id_after
from kantis_kit.web.router import Router
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates import queries, usecases
from messaging_svc.templates.rendering import Compiled
from messaging_svc.templates.schemas import (
    PreviewIn,
    TemplateIn,
    TemplateOut,
    VersionIn,
    VersionOut,
)

router = Router(prefix="/v1/templates", tags=["templates"])

PREVIEW_HEADERS = {
    # `sandbox` without exceptions: no script, no form, no access to the origin that the console runs on.
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src https: http: data:; style-src 'unsafe-inline'",
    "X-Frame-Options": "SAMEORIGIN",
}


@router.post("", policy=needs("messaging:write"), status_code=201)
async def create_template(body: TemplateIn, tx: Write, response: Response) -> TemplateOut:
    """Save a new template; it is checked and compiled before it is stored."""
    template_id = await usecases.create_template(tx, body.name, body.languages)
    response.headers["Location"] = f"/v1/templates/{template_id}"
    return await queries.get_template(tx, template_id)


@router.get("", policy=needs("messaging:read"))
async def list_templates(
    tx: Read, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Page[TemplateOut]:
    """Return the templates that are in use."""
    found = await queries.list_templates(tx, after=id_after(cursor), limit=limit)
    return Page(
        items=found, next_cursor=encode_cursor(found[-1].id) if len(found) == limit else None
    )


@router.get("/{template_id}", policy=needs("messaging:read"))
async def get_template(template_id: UUID, tx: Read) -> TemplateOut:
    """Return a template."""
    return await queries.get_template(tx, template_id)


@router.put("/{template_id}", policy=needs("messaging:write"))
async def save_version(template_id: UUID, body: VersionIn, tx: Write) -> TemplateOut:
    """Save a new version; launches that have begun keep the one they began with."""
    await usecases.save_version(tx, template_id, body.languages)
    return await queries.get_template(tx, template_id)


@router.delete("/{template_id}", policy=needs("messaging:write"), status_code=204)
async def archive_template(template_id: UUID, tx: Write) -> None:
    """Take a template out of use; what was planned with it is still sent."""
    await usecases.archive_template(tx, template_id)


@router.get("/{template_id}/versions/{number}", policy=needs("messaging:read"))
async def get_version(
    template_id: UUID, number: Annotated[int, Path(ge=1, le=2**31 - 1)], tx: Read
) -> VersionOut:
    """Return a version as it was written."""
    version, _ = await queries.get_version(tx, template_id, number)
    return version


@router.post("/{template_id}/preview", policy=needs("messaging:read"), response_class=Response)
async def preview_template(template_id: UUID, body: PreviewIn, tx: Read) -> Response:
    """Return the mail as an imagined person would get it, as a sandboxed page."""
    if body.languages:
        await queries.get_template(tx, template_id)
        compiled = Compiled(usecases.compile_all(body.languages))
    else:
        _, stored = await queries.get_version(tx, template_id)
        compiled = Compiled.from_json(stored)
    language: Language = compiled.language_for(body.language)
    fields = usecases.sample_fields(
        compiled,
        language,
        preferred_name=body.preferred_name,
        offer_name=body.offer_name,
        price_minor=body.offer_price_minor,
        currency=body.currency,
        company=tx.settings(MessagingSettings).company,
    )
    shown = compiled.render(language, fields)
    return Response(
        shown.html,
        media_type="text/html",
        headers={**PREVIEW_HEADERS, "Content-Language": language.value},
    )
