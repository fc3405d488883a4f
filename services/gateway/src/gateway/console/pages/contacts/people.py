"""Contacts: search, list, add one."""

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

ADD = Form(
    "contact_add",
    "POST",
    "/v1/contacts",
    "contacts:write",
    [
        Field("full_name", required=True),
        Field("preferred_name"),
        Field("email", "email"),
        Field("phone", "tel"),
        Field("language", "select", options=("nb", "sv", "da", "fi", "en")),
        Field("source"),
    ],
    then="/console/contacts/{id}",
)


@page("/console/contacts", needs="contacts:read", area="contacts", forms=[ADD])
async def people(page: Page) -> Response:
    """Show who is there, or who is looked for."""
    wanted = page.query.get("q", "").strip()
    by = "email" if "@" in wanted else "phone" if wanted[:1] == "+" else "q"
    found = await page.api(
        "GET",
        "/v1/contacts",
        parameters={by: wanted, "cursor": page.query.get("cursor"), "limit": 50},
    )
    return page.show("contacts/people.html", wanted=wanted, people=found)
