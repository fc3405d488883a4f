"""Invoices: the list, and one with its document, its postings, its credit notes and how it is followed up."""

import asyncio

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

_ONE = "/v1/invoices/{invoice_id}"
_REASON = Field("reason", required=True)
CREDIT_PIECES = Form(
    "credit_pieces",
    "POST",
    f"{_ONE}/credit-notes",
    "orders:write",
    [
        Field("lines.0.line_no", "select", required=True),
        Field("lines.0.quantity", "number", required=True, given="1"),
        _REASON,
    ],
)
CREDIT_AMOUNT = Form(
    "credit_amount",
    "POST",
    f"{_ONE}/credit-notes",
    "orders:write",
    [
        Field("amounts.0.vat_pct", "select", required=True),
        Field("amounts.0.amount_minor", "money", required=True),
        _REASON,
    ],
)
STEP = Form(
    "dunning_step",
    "POST",
    f"{_ONE}/dunning",
    "orders:write",
    [
        Field(
            "step",
            "select",
            options=(
                "dispute",
                "pause",
                "resume",
                "remind",
                "warn",
                "hand_over",
                "take_back",
                "end",
            ),
            required=True,
        ),
        Field("until", "day"),
        Field("taken_on", "day"),
        Field("with_fee", "check"),
        Field("note"),
    ],
)
WAIVE = Form(
    "claims_waive", "POST", f"{_ONE}/claims/waive", "orders:write", has_body=False, is_plain=True
)
STATES = ("open", "all", "credit_note")


@page("/console/invoices", needs="orders:read", area="invoices")
async def invoices(page: Page) -> Response:
    """Show invoices, those that are not paid at first, or the one that a reference names."""
    state, reference = page.query.get("state", "open"), page.query.get("reference", "").strip()
    asked: dict[str, object] = {"cursor": page.query.get("cursor"), "limit": 50}
    if reference:
        asked["reference"] = reference
    elif state == "open":
        asked["is_open"] = True
    elif state == "credit_note":
        asked["kind"] = "credit_note"
    found = await page.api("GET", "/v1/invoices", parameters=asked)
    return page.show(
        "money/invoices.html", found=found, state=state, states=STATES, reference=reference
    )


@page("/console/invoices/{invoice_id}.pdf", needs="orders:read")
async def document(page: Page) -> Response:
    """Return an invoice or a credit note as a file."""
    answer = await page.file(f"/v1/invoices/{page.params['invoice_id']}/pdf")
    return page.download(answer, "invoice.pdf")


@page(
    "/console/invoices/{invoice_id}",
    needs="orders:read",
    area="invoices",
    forms=[CREDIT_PIECES, CREDIT_AMOUNT, STEP, WAIVE],
)
async def invoice(page: Page) -> Response:
    """Show an invoice, or a credit note, which nobody pays and nobody credits."""
    invoice_id = page.params["invoice_id"]
    base = f"/v1/invoices/{invoice_id}"
    one = await page.api("GET", base)
    about: dict[str, str] = {"invoice_id": invoice_id}
    asked = [page.api("GET", "/v1/ledger/vouchers", parameters=about)]
    if one["kind"] == "invoice":
        asked += [
            page.api("GET", "/v1/payments", parameters=about),
            page.api("GET", f"{base}/credit-notes"),
            page.api("GET", f"{base}/dunning"),
        ]
    vouchers, *rest = await asyncio.gather(*asked)
    payments, credit, case = rest or (None, None, None)
    if credit is not None:
        names = {line["line_no"]: f"{line['name']} ({line['sku']})" for line in one["lines"]}
        page.options["lines.0.line_no"] = [
            (str(left["line_no"]), f"{names[left['line_no']]}: {left['quantity']}")
            for left in credit["left"]["lines"]
        ]
        page.options["amounts.0.vat_pct"] = [
            (str(left["vat_pct"]), f"{left['vat_pct']} %") for left in credit["left"]["amounts"]
        ]
    return page.show(
        "money/invoice.html",
        one=one,
        vouchers=vouchers["items"],
        payments=payments,
        credit=credit,
        case=case,
    )
