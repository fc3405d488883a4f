"""Segments: the list, and one that is made or changed with its count alongside."""

from typing import Any

import orjson
from starlette.responses import Response

from gateway.console.calls import ApiRefused, Json
from gateway.console.forms import Field, Form, Values
from gateway.console.page import Page, page

_SIMPLE = (
    Field("countries"),
    Field("language", "select", options=("nb", "sv", "da", "fi", "en")),
    Field("lifecycle", "select", options=("prospect", "lead", "new", "active", "passivating", "lapsed")),
    Field(
        "permission",
        "select",
        options=("email.offers", "email.newsletter", "sms.offers", "letter.offers", "phone.offers"),
    ),
    Field("bought_within_days", "number"),
    Field("returned_within_days", "number"),
)  # fmt: skip


def condition_of(values: Values) -> Json:
    """Return the condition that the fields say: the written one, else all that the simple fields ask for.

    Raises:
        ApiRefused: what was written is no JSON.
    """
    if written := values.get("condition", "").strip():
        try:
            return orjson.loads(written)
        except orjson.JSONDecodeError as error:
            errors = [{"field": "condition", "message": str(error)}]
            raise ApiRefused(422, {"errors": errors}) from None
    asked: list[dict[str, Any]] = []
    if countries := values.get("countries", "").upper().replace(",", " ").split():
        asked.append({"op": "country", "is_in": countries})
    if language := values.get("language"):
        asked.append({"op": "language", "is_in": [language]})
    if lifecycle := values.get("lifecycle"):
        asked.append({"op": "lifecycle", "is_in": [lifecycle]})
    if permission := values.get("permission"):
        channel, _, purpose = permission.partition(".")
        asked.append(
            {"op": "permission", "channel": channel, "purpose": purpose, "state": "granted"}
        )
    if days := values.get("bought_within_days", "").strip():
        asked.append({"op": "last_order", "within_days": int(days) if days.isdigit() else days})
    if days := values.get("returned_within_days", "").strip():
        asked.append({"op": "returns", "within_days": int(days) if days.isdigit() else days})
    return {"op": "all", "of": asked}


def _body(values: Values) -> dict[str, Json]:
    return {"name": values["name"].strip(), "condition": condition_of(values)}


async def make(page: Page, values: Values) -> Json:
    """Make the segment."""
    return await page.api("POST", "/v1/segments", body=_body(values))


async def change(page: Page, values: Values) -> Json:
    """Change the segment."""
    path = f"/v1/segments/{page.params['segment_id']}"
    return await page.api("PUT", path, body=_body(values))


_FIELDS = (Field("name", required=True), *_SIMPLE, Field("condition", "json"))
MAKE = Form(
    "segment_make",
    "POST",
    "/v1/segments",
    "contacts:write",
    _FIELDS,
    do=make,
    then="/console/segments/{id}",
)
CHANGE = Form(
    "segment_change",
    "PUT",
    "/v1/segments/{segment_id}",
    "contacts:write",
    (Field("name", required=True), Field("condition", "json", required=True)),
    do=change,
)


@page("/console/segments", needs="contacts:read", area="segments")
async def segments(page: Page) -> Response:
    """Show the segments."""
    return page.show("segments/segments.html", segments=await page.api("GET", "/v1/segments"))


@page("/console/segments/new", needs="contacts:write", area="segments", forms=[MAKE])
async def new_segment(page: Page) -> Response:
    """Make a segment; the count follows what is chosen."""
    return page.show("segments/new.html")


@page("/console/segments/count", needs="contacts:read")
async def count(page: Page) -> Response:
    """Count whom a condition that is still written would reach."""
    told, problem = None, ""
    values = {key: str(value) for key, value in (page.form_data or {}).items()}
    try:
        condition = condition_of(values)
        if condition.get("of") != []:
            told = await page.api("POST", "/v1/segments/preview", body={"condition": condition})
    except ApiRefused as refused:
        errors = refused.problem.get("errors", ())
        problem = "; ".join(str(one.get("message")) for one in errors) or refused.detail
    return page.part("segments/count.html", told=told, problem=problem)


@page("/console/segments/{segment_id}", needs="contacts:read", area="segments", forms=[CHANGE])
async def segment(page: Page) -> Response:
    """Show a segment: what it asks, how many it has, and of a person why they are in it or not."""
    base = f"/v1/segments/{page.params['segment_id']}"
    one = await page.api("GET", base)
    counted = await page.api("GET", f"{base}/count")
    members = await page.api(
        "GET", f"{base}/members", parameters={"cursor": page.query.get("cursor"), "limit": 25}
    )
    why = None
    if person := page.query.get("person", "").strip():
        why = await page.maybe("GET", f"{base}/explain/{person}")
    written = orjson.dumps(one["condition"], option=orjson.OPT_INDENT_2).decode()
    page.values[CHANGE.name] = {"name": one["name"], "condition": written}
    return page.show(
        "segments/segment.html", one=one, count=counted["count"], members=members, why=why
    )
