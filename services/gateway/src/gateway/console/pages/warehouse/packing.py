"""Packing an order: what goes into it, its boxes, their labels, and handing it over."""

import asyncio

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page
from gateway.console.pages.orders.order import SHIP

_ONE = "/v1/orders/{order_id}"
PACK = Form(
    "order_pack",
    "POST",
    f"{_ONE}/parcels",
    "orders:write",
    [
        Field("numbering", "select", options=("sscc", "s10"), required=True),
        Field("boxes", "json"),
    ],
)
UNPACK = Form(
    "order_unpack", "DELETE", f"{_ONE}/parcels", "orders:write", has_body=False, is_plain=True
)


@page(
    "/console/orders/{order_id}/packing",
    needs="orders:read",
    area="waves",
    forms=[PACK, UNPACK, SHIP],
)
async def packing(page: Page) -> Response:
    """Show what is to be packed and how it was packed."""
    base = f"/v1/orders/{page.params['order_id']}"
    one, material, parcels = await asyncio.gather(
        page.api("GET", base),
        page.api("GET", f"{base}/packing"),
        page.api("GET", f"{base}/parcels"),
    )
    return page.show(
        "warehouse/packing.html", one=one, material=material["items"], parcels=parcels["items"]
    )


@page("/console/orders/{order_id}/labels.pdf", needs="orders:read")
async def labels(page: Page) -> Response:
    """Return the labels of what has not left, as a file to print."""
    answer = await page.file(f"/v1/orders/{page.params['order_id']}/labels")
    return page.download(answer, "labels.pdf")
