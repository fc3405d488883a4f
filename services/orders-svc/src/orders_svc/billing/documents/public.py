"""The page behind the link in the mail about an invoice: what is owed, and the paper. It changes nothing."""

import asyncio

from fastapi import Request, Response

from kantis_contracts.values import Language
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import public
from kantis_kit.money import in_words
from kantis_kit.tx import ReadTx, read
from kantis_kit.web import Read, Router
from kantis_kit.web.languages import choose_language
from kantis_kit.web.state import runtime_of
from orders_svc.billing import queries
from orders_svc.billing.documents.links import PREFIX, read_token
from orders_svc.billing.documents.pages import PAGES
from orders_svc.billing.documents.sheet import facts_of, title_of, words_of
from orders_svc.billing.documents.texts import TEXTS
from orders_svc.billing.documents.typeset import typeset
from orders_svc.billing.queries import Sheet

router = Router(prefix=PREFIX)
WHY = public("the signed link is the key; it shows one invoice and changes nothing")


@router.get("/{token}", policy=WHY, response_class=Response)
async def show_invoice(token: str, request: Request, tx: Read) -> Response:
    """Show what is owed of an invoice, in the language of its buyer."""
    sheet = await _known(tx, token)
    if sheet is None:
        return _refused(request)
    invoice, texts = sheet.invoice, TEXTS[sheet.invoice.language]
    still_open = in_words(invoice.open_minor, invoice.currency, invoice.language)
    facts = facts_of(sheet)
    if sheet.credits is None:
        facts.append([texts["still_open"], still_open])
    return PAGES.page(
        "invoice",
        Language(invoice.language),
        title=title_of(sheet),
        facts=facts,
        pdf_path=f"{PREFIX}/{token}/pdf",
    )


@router.get("/{token}/pdf", policy=WHY, response_class=Response)
async def show_pdf(token: str, request: Request) -> Response:
    """Return the paper."""
    # No Read dependency: the transaction must be over before the typesetter begins.
    async with read(runtime_of(request).scope) as tx:
        sheet = await _known(tx, token)
        words = words_of(sheet) if sheet else None
    if words is None:
        return _refused(request)
    return Response(
        await asyncio.to_thread(typeset, [words]),
        media_type="application/pdf",
        headers={"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"},
    )


async def _known(tx: ReadTx, token: str) -> Sheet | None:
    """Return the invoice of a link; None for a bad link, and when its buyer has been forgotten since."""
    invoice_id = read_token(tx.use(LinkSigner), token, now=tx.clock.now())
    if invoice_id is None:
        return None
    sheet = await queries.find_sheet(tx, invoice_id)
    return sheet if sheet is not None and sheet.invoice.recipient else None


def _refused(request: Request) -> Response:
    language = choose_language(request, list(Language), Language.EN)
    return PAGES.page("refused", language, 404)
