"""The response desk: code, kind, Enter; what is next is said, and the hands are back at the code."""

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

KINDS = ("order", "inquiry", "complaint", "refusal")
KEY = Form(
    "response_key",
    "POST",
    "/v1/responses",
    "orders:write",
    [
        Field("code", required=True),
        Field("kind", "radio", required=True, options=KINDS, given="order"),
        Field("quantity", "number", given="1"),
        Field("note"),
    ],
    fixed={"way": "keyed"},
)
ANSWER = Form(
    "response_answer",
    "POST",
    "/v1/responses/{response_id}/answer",
    "orders:write",
    [Field("response_id", "hidden"), Field("note")],
    then="/console/desk?done=response_answer",
)


@page(
    "/console/desk",
    needs="orders:write",
    area="desk",
    forms=[KEY, ANSWER],
    shows_answers=True,
)
async def desk(page: Page) -> Response:
    """Take responses by the keyboard; below, what waits for an answer."""
    waiting = await page.api("GET", "/v1/responses", parameters={"state": "open", "limit": 50})
    return page.show("desk/desk.html", told=page.told.get(KEY.name), waiting=waiting["items"])
