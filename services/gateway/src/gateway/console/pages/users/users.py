"""Users of the console: add one, change one, give one another link."""

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page
from gateway.users.schemas import UserRole

_LANGUAGES = ("nb", "sv", "da", "fi", "en")
ADD = Form(
    "user_add",
    "POST",
    "/v1/users",
    "users:write",
    [
        Field("email", "email", required=True),
        Field("name", required=True),
        Field("role", "select", options=tuple(UserRole), required=True),
        Field("language", "select", options=_LANGUAGES, required=True),
    ],
)
CHANGE = Form(
    "user_change",
    "PATCH",
    "/v1/users/{user_id}",
    "users:write",
    [
        Field("name", required=True),
        Field("role", "select", options=tuple(UserRole), required=True),
        Field("language", "select", options=_LANGUAGES, required=True),
        Field("is_disabled", "check"),
    ],
)
LINK = Form(
    "user_link", "POST", "/v1/users/{user_id}/links", "users:write", has_body=False, is_plain=True
)


@page("/console/users", needs="users:read", area="users", forms=[ADD], shows_answers=True)
async def users(page: Page) -> Response:
    """Show the users; the link of a new one is shown here and never again."""
    found = await page.api(
        "GET", "/v1/users", parameters={"cursor": page.query.get("cursor"), "limit": 100}
    )
    return page.show("users/users.html", users=found, made=page.told.get(ADD.name))


@page(
    "/console/users/{user_id}",
    needs="users:read",
    area="users",
    forms=[CHANGE, LINK],
    shows_answers=True,
)
async def user(page: Page) -> Response:
    """Show a user, and where they are signed in."""
    base = f"/v1/users/{page.params['user_id']}"
    one = await page.api("GET", base)
    sessions = await page.api("GET", f"{base}/sessions")
    page.values[CHANGE.name] = {
        **{name: one[name] for name in ("name", "role", "language")},
        "is_disabled": "on" if one["disabled_at"] else "",
    }
    return page.show("users/user.html", one=one, sessions=sessions, made=page.told.get(LINK.name))
