"""API keys: who has one, a new one that is shown once, and the end of one."""

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page
from gateway.keys.roles import Role

MAKE = Form(
    "key_make",
    "POST",
    "/v1/keys",
    "keys:write",
    [
        Field("name", required=True),
        Field("role", "select", options=tuple(Role), required=True),
    ],
)
REVOKE = Form(
    "key_revoke",
    "DELETE",
    "/v1/keys/{key_id}",
    "keys:write",
    [Field("key_id", "hidden")],
    has_body=False,
    is_plain=True,
    then="/console/keys?done=key_revoke",
)


@page("/console/keys", needs="keys:read", area="keys", forms=[MAKE, REVOKE], shows_answers=True)
async def keys(page: Page) -> Response:
    """Show the keys; a new one is shown here and never again."""
    found = await page.api(
        "GET", "/v1/keys", parameters={"cursor": page.query.get("cursor"), "limit": 100}
    )
    return page.show("keys/keys.html", keys=found, made=page.told.get(MAKE.name))
