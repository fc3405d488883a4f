"""What is due today: responses to answer, messages in doubt, conversations, tasks, parked messages."""

import asyncio

from starlette.responses import Response

from gateway.console.calls import Json
from gateway.console.page import Page, page
from gateway.routes.table import SERVICES

SHOWN = 10


@page("/console", needs="", area="today")
async def today(page: Page) -> Response:
    """Show what is due, and as much of it as the person may see."""
    parts: tuple[tuple[str, str, str, dict[str, Json]], ...] = (
        ("responses", "orders:read", "/v1/responses", {"state": "open"}),
        ("conversations", "messaging:read", "/v1/conversations", {"state": "open"}),
        ("payments", "orders:read", "/v1/payments", {"state": "unmatched"}),
        ("in_doubt", "messaging:read", "/v1/messages/in-doubt", {}),
        ("tasks", "campaign:read", "/v1/tasks", {}),
        *(
            ("parked", "operations:read", f"/v1/operations/{service}/parked", {})
            for service in (*SERVICES, "gateway")
        ),
        ("campaigns", "campaign:read", "/v1/campaigns", {"limit": 5}),
    )
    asked = [(name, path, parameters) for name, needs, path, parameters in parts if page.may(needs)]
    answers = await asyncio.gather(
        *(
            page.maybe("GET", path, parameters={"limit": SHOWN, **parameters})
            for _, path, parameters in asked
        )
    )
    due: dict[str, Json] = {}
    for (name, _, _), answer in zip(asked, answers, strict=True):
        if name == "parked":  # of a service that is away nothing is known to be parked
            due.setdefault(name, []).extend((answer or {}).get("items", ()))
        else:
            due[name] = answer["items"] if answer is not None else None
    campaigns = due.pop("campaigns", None)
    return page.show("today.html", due=due, shown=SHOWN, campaigns=campaigns or [])
