"""The report's page: with a key, or by a link that somebody shared."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from analytics_svc.campaigns import queries, usecases
from analytics_svc.pages.errors import LinkOver
from analytics_svc.pages.render import CONTENT_SECURITY_POLICY, render_report
from kantis_contracts.values import Language
from kantis_kit.auth.policy import needs, public
from kantis_kit.tx import ReadTx
from kantis_kit.web.deps import Read
from kantis_kit.web.languages import preferred_language
from kantis_kit.web.router import Router

router = Router(prefix="/v1/reports", tags=["reports"])
Lang = Annotated[Language | None, Query(description="Without it, the reader's own language.")]


async def _page(
    tx: ReadTx, campaign_id: UUID, lang: Language | None, request: Request
) -> HTMLResponse:
    report = await queries.get_report(tx, campaign_id)
    accepted = request.headers.get("accept-language", "")
    language = lang or preferred_language(accepted, list(Language), Language.EN)
    return HTMLResponse(
        render_report(report, language),
        headers={
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Content-Language": language.value,
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex",
            "Vary": "Accept-Language",
        },
    )


@router.get(
    "/campaigns/{campaign_id}/page",
    policy=needs("analytics:read"),
    response_class=HTMLResponse,
)
async def show_report(
    campaign_id: UUID, request: Request, tx: Read, lang: Lang = None
) -> HTMLResponse:
    """Show a report as a page with plots."""
    return await _page(tx, campaign_id, lang, request)


@router.get("/shared/{token}", policy=public("signed link"), response_class=HTMLResponse)
async def show_shared_report(
    token: str, request: Request, tx: Read, lang: Lang = None
) -> HTMLResponse:
    """Show the report that somebody shared by a link."""
    campaign_id = usecases.read_link(tx, token)
    if campaign_id is None:
        raise LinkOver("The link is not whole, or its time is over; ask for a new one")
    return await _page(tx, campaign_id, lang, request)
