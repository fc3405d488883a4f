"""What is due today: responses to answer, messages in doubt, conversations, tasks, parked messages."""

from starlette.responses import Response

from gateway.console.calls import Json
from gateway.console.page import Page, page
from gateway.routes.table import SERVICES

SHOWN = 10


@page("/console", needs="", area="today")
async def today(page: Page) -> Response:
    """Show what is due, and as much of it as the person may see."""
    due: dict[str, Json] = {}
    for name, needs, path, parameters in (
        ("responses", "orders:read", "/v1/responses", {"state": "open"}),
        ("conversations", "messaging:read", "/v1/conversations", {"state": "open"}),
        ("in_doubt", "messaging:read", "/v1/messages/in-doubt", {}),
        ("tasks", "campaign:read", "/v1/tasks", {}),
    ):
        if page.may(needs):
            found = await page.maybe("GET", path, parameters={**parameters, "limit": SHOWN})
            due[name] = found["items"] if found is not None else None
    parked = []
    if page.may("operations:read"):
        for service in (*SERVICES, "gateway"):
            found = await page.maybe(
                "GET", f"/v1/operations/{service}/parked", parameters={"limit": SHOWN}
            )
            parked += [{**row, "service": service} for row in (found or {}).get("items", ())]
        due["parked"] = parked
    campaigns = None
    if page.may("campaign:read"):
        campaigns = await page.maybe("GET", "/v1/campaigns", parameters={"limit": 5})
    return page.show(
        "today.html", due=due, shown=SHOWN, campaigns=(campaigns or {}).get("items", [])
    )
