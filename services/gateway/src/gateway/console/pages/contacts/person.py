"""One person: who it is, what they allow, what has happened."""

import asyncio

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

_FIELDS = (
    Field("preferred_name", blank="empty"),
    Field("given_name", blank="empty"),
    Field("family_name", blank="empty"),
    Field("email", "email", blank="null"),
    Field("phone", "tel", blank="null"),
    Field("language", "select", options=("nb", "sv", "da", "fi", "en"), required=True),
    Field("note", "area", blank="empty"),
    Field("do_not_contact", "check"),
)
EDIT = Form("contact_edit", "PATCH", "/v1/contacts/{contact_id}", "contacts:write", _FIELDS)
PERMIT = Form(
    "permission_set",
    "POST",
    "/v1/contacts/{contact_id}/permissions",
    "contacts:write",
    [
        Field("channel", "select", options=("email", "sms", "letter", "phone"), required=True),
        Field("purpose", "select", options=("newsletter", "offers", "surveys"), required=True),
        Field("state", "select", options=("granted", "withdrawn"), required=True),
        Field("source", required=True),
        Field("text_shown", "area"),
    ],
)


@page(
    "/console/contacts/{contact_id}", needs="contacts:read", area="contacts", forms=[EDIT, PERMIT]
)
async def person(page: Page) -> Response:
    """Show a person with permissions and timeline."""
    base = f"/v1/contacts/{page.params['contact_id']}"
    one = await page.api("GET", base)
    permissions, timeline, segments = await asyncio.gather(
        page.api("GET", f"{base}/permissions"),
        page.api(
            "GET",
            f"{base}/timeline",
            parameters={"cursor": page.query.get("cursor"), "limit": 30},
        ),
        page.maybe("GET", f"{base}/segments"),
    )
    page.values[EDIT.name] = {
        field.name: ("on" if one[field.name] else "")
        if field.kind == "check"
        else one[field.name] or ""
        for field in _FIELDS
    }
    return page.show(
        "contacts/person.html",
        one=one,
        permissions=permissions,
        timeline=timeline,
        segments=segments or [],
    )
