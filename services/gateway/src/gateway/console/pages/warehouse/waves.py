"""Picking: a wave of orders, and its walk, line by line, by scanner and keyboard."""

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

_ONE = "/v1/waves/{wave_id}"
_LINE = f"{_ONE}/lines/{{walk_no}}"
MAKE = Form(
    "wave_make",
    "POST",
    "/v1/waves",
    "orders:write",
    [Field("max_orders", "number", required=True, given="20")],
    then="/console/waves/{wave_id}",
)
TAKE = Form(
    "wave_take",
    "POST",
    f"{_ONE}/take",
    "orders:write",
    [Field("lines", "number", required=True, given="20")],
)
PICK = Form(
    "wave_pick",
    "POST",
    f"{_LINE}/pick",
    "orders:write",
    [Field("walk_no", "hidden"), Field("code", required=True), Field("quantity", "number")],
)
SHORT = Form(
    "wave_short",
    "POST",
    f"{_LINE}/short",
    "orders:write",
    [
        Field("walk_no", "hidden"),
        Field("picked", "number", required=True, given="0"),
        Field("rest", "select", options=("back_order", "call_off"), required=True),
        Field("try_again_on", "day"),
    ],
)
CANCEL = Form(
    "wave_cancel", "POST", f"{_ONE}/cancel", "orders:write", has_body=False, is_plain=True
)
STATES = ("open", "picked", "cancelled")
_LINES = 1_000
"""So many lines of a wave are looked at: who picks more by hand has had breaks between."""


@page("/console/waves", needs="orders:read", area="waves", forms=[MAKE])
async def waves(page: Page) -> Response:
    """Show the waves of one state; those with something to pick at first."""
    state = page.query.get("state", "open")
    found = await page.api(
        "GET",
        "/v1/waves",
        parameters={"state": state, "cursor": page.query.get("cursor"), "limit": 50},
    )
    return page.show("warehouse/waves.html", found=found, state=state, states=STATES)


@page(
    "/console/waves/{wave_id}",
    needs="orders:read",
    area="waves",
    forms=[TAKE, PICK, SHORT, CANCEL],
)
async def wave(page: Page) -> Response:
    """Show the next line of the walk of whoever looks, what is left, and the orders that can be packed."""
    base = f"/v1/waves/{page.params['wave_id']}"
    one = await page.api("GET", base)
    lines = (await page.api("GET", f"{base}/lines", parameters={"limit": _LINES}))["items"]
    waiting = [line for line in lines if line["state"] == "waiting"]
    mine = [line for line in waiting if line["taken_by"] == page.principal.id]
    unfinished = {line["order_id"] for line in waiting}
    ready = {
        line["order_id"]: None
        for line in lines
        if line["picked"] and line["order_id"] not in unfinished
    }
    return page.show("warehouse/wave.html", one=one, mine=mine, waiting=waiting, ready=list(ready))
