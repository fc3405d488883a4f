"""One campaign: offers, cells, pre-flight, sign-off, launch, and how far it is."""

import asyncio

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

_BASE = "/v1/campaigns/{campaign_id}"
_WRITE = "campaign:write"
OFFER = Form(
    "offer_add",
    "POST",
    f"{_BASE}/offers",
    _WRITE,
    [Field("product_id", "select", required=True), Field("price_minor", "money")],
)
CELL = Form(
    "cell_add",
    "POST",
    f"{_BASE}/cells",
    _WRITE,
    [
        Field("name", required=True),
        Field("share_pct", "number", required=True, given="100"),
        Field("template_id", "select", required=True),
        Field("offer_id", "select"),
        Field("cost_per_piece_minor", "money", given="0"),
    ],
)
DROP_OFFER = Form(
    "offer_drop", "DELETE", f"{_BASE}/offers/{{offer_id}}", _WRITE, has_body=False, is_plain=True
)
DROP_CELL = Form(
    "cell_drop", "DELETE", f"{_BASE}/cells/{{cell_id}}", _WRITE, has_body=False, is_plain=True
)
PREFLIGHT = Form(
    "preflight",
    "POST",
    f"{_BASE}/preflights",
    _WRITE,
    has_body=False,
    then="/console/campaigns/{campaign_id}?preflight={id}#takeoff",
)
TEST = Form(
    "test_send",
    "POST",
    f"{_BASE}/test-sends",
    _WRITE,
    [
        Field("to_email", "email", required=True),
        Field("language", "select", options=("nb", "sv", "da", "fi", "en"), required=True),
    ],
)
LAUNCH = Form("launch", "POST", f"{_BASE}/launch", _WRITE)
SIGNED_LAUNCH = Form(
    "launch_signed",
    "POST",
    f"{_BASE}/launch",
    _WRITE,
    [Field("sign_off.name", required=True), Field("sign_off.reason", required=True)],
)
PAUSE = Form("pause", "POST", f"{_BASE}/pause", _WRITE, [Field("reason", required=True)])
RESUME = Form("resume", "POST", f"{_BASE}/resume", _WRITE, [Field("reason", required=True)])


@page(
    "/console/campaigns/{campaign_id}",
    needs="campaign:read",
    area="campaigns",
    forms=[
        OFFER, CELL, DROP_OFFER, DROP_CELL, PREFLIGHT, TEST, LAUNCH, SIGNED_LAUNCH, PAUSE, RESUME,
    ],
)  # fmt: skip
async def planner(page: Page) -> Response:
    """Plan a campaign that is a draft; look on when it is launched."""
    base = f"/v1/campaigns/{page.params['campaign_id']}"
    if page.is_fragment and page.query.get("part") == "preflight":
        one, flight = await asyncio.gather(
            page.api("GET", base),
            page.api("GET", f"{base}/preflights/{page.query.get('preflight', '-')}"),
        )
        return page.part("campaigns/preflight.html", one=one, flight=flight)
    if page.is_fragment:
        return page.part(
            "campaigns/progress.html", progress=await page.api("GET", f"{base}/progress")
        )
    one = await page.api("GET", base)
    flight = progress = None
    if one["state"] == "draft":
        await _offer_what_there_is(page, one)
        if wanted := page.query.get("preflight"):
            flight = await page.maybe("GET", f"{base}/preflights/{wanted}")
    else:
        progress = await page.api("GET", f"{base}/progress")
    segment = await page.maybe("GET", f"/v1/segments/{one['segment_id']}")
    return page.show(
        "campaigns/planner.html", one=one, flight=flight, progress=progress, segment=segment
    )


async def _offer_what_there_is(page: Page, one: dict[str, object]) -> None:
    """Fill the selects: products, templates, and the offers of this campaign."""
    products, templates = await asyncio.gather(
        page.maybe("GET", "/v1/products", parameters={"limit": 200}),
        page.maybe("GET", "/v1/templates", parameters={"limit": 200}),
    )
    page.options["product_id"] = [
        (each["product_id"], f"{each['name']} ({each['sku']})")
        for each in (products or {}).get("items", ())
    ]
    page.options["template_id"] = [
        (each["id"], each["name"]) for each in (templates or {}).get("items", ())
    ]
    offers = one["offers"]
    page.options["offer_id"] = [
        (each["id"], f"{each['name']}, {each['price_minor'] / 100:.2f} {each['currency']}")
        for each in (offers if isinstance(offers, list) else ())
    ]
