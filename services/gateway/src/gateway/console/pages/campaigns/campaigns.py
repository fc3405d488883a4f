"""Campaigns: the list, and a new one."""

from starlette.responses import Response

from gateway.console.forms import Field, Form
from gateway.console.page import Page, page

ADD = Form(
    "campaign_add",
    "POST",
    "/v1/campaigns",
    "campaign:write",
    [
        Field("name", required=True),
        Field("segment_id", "select", required=True),
        Field("purpose", "select", options=("offers", "newsletter", "surveys"), required=True),
        Field("channel", "select", options=("email", "sms", "letter", "phone"), required=True),
        Field("currency", "select", options=("NOK", "SEK", "DKK", "EUR"), required=True),
        Field("budget_minor", "money"),
        Field("expected_response_pct", "number", given="2"),
        Field("hold_out_pct", "number", given="0"),
    ],
    then="/console/campaigns/{id}",
)


@page("/console/campaigns", needs="campaign:read", area="campaigns", forms=[ADD])
async def campaigns(page: Page) -> Response:
    """Show the campaigns, the newest first."""
    found = await page.api(
        "GET", "/v1/campaigns", parameters={"cursor": page.query.get("cursor"), "limit": 50}
    )
    if page.may("campaign:write"):
        segments = await page.maybe("GET", "/v1/segments") or []
        page.options["segment_id"] = [(one["id"], one["name"]) for one in segments]
        page.values[ADD.name] = {"segment_id": page.query.get("segment", "")}
    return page.show("campaigns/campaigns.html", campaigns=found)
