"""The inbox: conversations by how urgent they are, and one with its answer."""

import asyncio

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

_BASE = "/v1/conversations/{conversation_id}"
ANSWER = Form(
    "conversation_answer",
    "POST",
    f"{_BASE}/answers",
    "messaging:write",
    [
        Field("text", "area", required=True),
        Field("then", "select", options=("answered", "waiting", "closed"), required=True),
    ],
)
CLOSE = Form(
    "conversation_close",
    "POST",
    f"{_BASE}/close",
    "messaging:write",
    [Field("reason", required=True)],
)
STATES = ("open", "waiting", "answered", "closed")


@page("/console/inbox", needs="messaging:read", area="inbox")
async def inbox(page: Page) -> Response:
    """Show the conversations of one state; open ones at first."""
    state = page.query.get("state", "open")
    found = await page.api(
        "GET",
        "/v1/conversations",
        parameters={"state": state, "cursor": page.query.get("cursor"), "limit": 50},
    )
    return page.show("inbox/inbox.html", found=found, state=state, states=STATES)


@page(
    "/console/inbox/{conversation_id}",
    needs="messaging:read",
    area="inbox",
    forms=[ANSWER, CLOSE],
)
async def conversation(page: Page) -> Response:
    """Show a conversation from its beginning."""
    base = f"/v1/conversations/{page.params['conversation_id']}"
    one, messages = await asyncio.gather(
        page.api("GET", base), page.api("GET", f"{base}/messages", parameters={"limit": 200})
    )
    return page.show("inbox/conversation.html", one=one, messages=messages["items"])
