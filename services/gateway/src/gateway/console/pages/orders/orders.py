"""Orders: the list, and what is to be picked."""

from starlette.responses import Response

from gateway.console.page import Page, page

STATES = ("placed", "picking", "shipped", "cancelled")


@page("/console/orders", needs="orders:read", area="orders")
async def orders(page: Page) -> Response:
    """Show orders of one state; those that are placed at first."""
    state = page.query.get("state", "placed")
    found = await page.api(
        "GET",
        "/v1/orders",
        parameters={"state": state, "cursor": page.query.get("cursor"), "limit": 50},
    )
    picks = await page.api("GET", "/v1/orders/pick-list") if state == "placed" else None
    return page.show("orders/orders.html", orders=found, state=state, states=STATES, picks=picks)
