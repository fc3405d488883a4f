"""Contacts that may be one person: side by side, to be merged or told apart; and merges, to be undone."""

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

MERGE = Form(
    "merge",
    "POST",
    "/v1/merges",
    "contacts:write",
    [Field("known_id", "hidden"), Field("merged_id", "hidden")],
    is_plain=True,
    then="/console/duplicates?done=merge",
)
DISMISS = Form(
    "duplicate_dismiss",
    "POST",
    "/v1/duplicates/{duplicate_id}/dismiss",
    "contacts:write",
    [Field("duplicate_id", "hidden")],
    has_body=False,
    is_plain=True,
    then="/console/duplicates?done=duplicate_dismiss",
)
UNDO = Form(
    "merge_undo",
    "POST",
    "/v1/merges/{merge_id}/undo",
    "contacts:write",
    [Field("merge_id", "hidden")],
    has_body=False,
    is_plain=True,
    then="/console/duplicates?state=merged&done=merge_undo",
)
STATES = ("open", "dismissed", "merged")


@page(
    "/console/duplicates",
    needs="contacts:read",
    area="duplicates",
    forms=[MERGE, DISMISS, UNDO],
)
async def duplicates(page: Page) -> Response:
    """Show the pairs that nobody has decided, the likeliest first; or those that were, or the merges."""
    state = page.query.get("state", "open")
    asked = {"cursor": page.query.get("cursor"), "limit": 20}
    pairs = merges = None
    if state == "merged":
        merges = await page.api("GET", "/v1/merges", parameters=asked)
    else:
        pairs = await page.api("GET", "/v1/duplicates", parameters={"state": state, **asked})
    return page.show(
        "quality/duplicates.html", pairs=pairs, merges=merges, state=state, states=STATES
    )
