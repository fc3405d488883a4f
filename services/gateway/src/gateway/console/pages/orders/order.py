"""One order: its lines, where it goes, and picking, shipping, cancelling it."""

import asyncio

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

_BASE = "/v1/orders/{order_id}"
PICK = Form("order_pick", "POST", f"{_BASE}/pick", "orders:write", has_body=False)
SHIP = Form("order_ship", "POST", f"{_BASE}/ship", "orders:write", [Field("tracking")])
CANCEL = Form(
    "order_cancel", "POST", f"{_BASE}/cancel", "orders:write", has_body=False, is_plain=True
)


@page("/console/orders/{order_id}", needs="orders:read", area="orders", forms=[PICK, SHIP, CANCEL])
async def order(page: Page) -> Response:
    """Show an order."""
    order_id = page.params["order_id"]
    one, invoices = await asyncio.gather(
        page.api("GET", f"/v1/orders/{order_id}"),
        page.api("GET", "/v1/invoices", parameters={"order_id": order_id}),
    )
    return page.show("orders/order.html", one=one, invoices=invoices["items"])
