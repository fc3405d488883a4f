"""Payments: what came in and what of it nobody can place; and settling one that is held."""

from starlette.responses import Response

from gateway.console.calls import Json
from gateway.console.forms import Field, Form, Values
from gateway.console.page import Page, page
from gateway.routes.table import PAYMENTS_BODY_BYTES

_ONE = "/v1/payments/{payment_id}"
_REASON = Field("reason", required=True)
TAKE = Form(
    "payment_take",
    "POST",
    "/v1/payments",
    "orders:write",
    [
        Field("reference", required=True),
        Field("amount_minor", "money", required=True),
        Field("currency", "select", options=("NOK", "SEK", "DKK", "EUR"), required=True),
        Field("paid_on", "day", required=True),
        Field("payer_name"),
        Field("external_id"),
    ],
    then="/console/payments/{payment_id}",
)


async def send_file(page: Page, values: Values) -> Json:
    """Send a file of the bank's on, as it is."""
    name, parts = page.posted_file("bank_file")
    kind = "application/xml" if name.lower().endswith(".xml") else "text/plain"
    key = values.get("_key", "").encode("ascii", "ignore")
    return await page.api(
        "POST",
        "/v1/payments/files",
        content=(kind, parts),
        headers=[(b"idempotency-key", key)] if key else [],
    )


FILE = Form(
    "payments_file",
    "POST",
    "/v1/payments/files",
    "orders:write",
    [Field("bank_file", "file", required=True)],
    do=send_file,
    then="/console/payments?done=payments_file",
)
BOOK = Form(
    "payment_book",
    "POST",
    f"{_ONE}/match",
    "orders:write",
    [Field("reference", "hidden")],
    is_plain=True,
)
MATCH = Form(
    "payment_match",
    "POST",
    f"{_ONE}/match",
    "orders:write",
    [Field("reference", required=True), Field("rate")],
)
REFUND = Form("payment_refund", "POST", f"{_ONE}/refund", "orders:write", [_REASON])
CREDIT = Form(
    "payment_credit", "POST", f"{_ONE}/credit", "orders:write", [Field("person_id", required=True)]
)
REVERSE = Form("payment_reverse", "POST", f"{_ONE}/reverse", "orders:write", [_REASON])


async def name_original(page: Page, values: Values) -> Json:
    """Say which payment the bank took back: in the body it has the name that the other one has in the path."""
    path = f"/v1/payments/{page.params['payment_id']}/original"
    return await page.api("POST", path, body={"payment_id": values["original_id"]})


ORIGINAL = Form(
    "payment_original",
    "POST",
    f"{_ONE}/original",
    "orders:write",
    [Field("original_id", "select", required=True)],
    do=name_original,
)
STATES = ("unmatched", "booked", "refunded", "credited", "reversed")


@page(
    "/console/payments",
    needs="orders:read",
    area="payments",
    forms=[TAKE, FILE],
    max_body_bytes=PAYMENTS_BODY_BYTES,
)
async def payments(page: Page) -> Response:
    """Show payments of one state; those that wait for a person at first."""
    state = page.query.get("state", "unmatched")
    found = await page.api(
        "GET",
        "/v1/payments",
        parameters={"state": state, "cursor": page.query.get("cursor"), "limit": 50},
    )
    files = await page.api("GET", "/v1/payments/files", parameters={"limit": 20})
    return page.show(
        "money/payments.html", found=found, state=state, states=STATES, files=files["items"]
    )


@page(
    "/console/payments/{payment_id}",
    needs="orders:read",
    area="payments",
    forms=[BOOK, MATCH, REFUND, CREDIT, REVERSE, ORIGINAL],
)
async def payment(page: Page) -> Response:
    """Show a payment; of one that is held, what it may be for and what can be done with it."""
    base = f"/v1/payments/{page.params['payment_id']}"
    one = await page.api("GET", base)
    is_held = one["state"] == "unmatched"
    candidates = []
    if is_held and one["is_reversal"]:
        booked = await page.api("GET", "/v1/payments", parameters={"state": "booked", "limit": 500})
        page.options["original_id"] = [
            (each["payment_id"], f"{each['paid_on']} {each['payer_name'] or each['reference']}")
            for each in booked["items"]
            if (each["amount_minor"], each["currency"])
            == (abs(one["amount_minor"]), one["currency"])
        ]
    elif is_held:
        candidates = await page.api("GET", f"{base}/candidates")
    page.values[CREDIT.name] = {"person_id": one["person_id"] or ""}
    return page.show("money/payment.html", one=one, is_held=is_held, candidates=candidates)
