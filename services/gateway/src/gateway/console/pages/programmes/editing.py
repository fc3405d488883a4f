"""Writing a programme: its graph as JSON, what the checker says of it, and its drawing."""

import orjson
from starlette.responses import Response

from gateway.console.calls import ApiRefused, Json
from gateway.console.forms import Field, Form, Values
from gateway.console.page import Page, page

_FIELDS = (Field("name", required=True), Field("graph", "json", required=True))


async def _written(page: Page, values: Values) -> Json:
    """Return the programme that was written; or, where only that was asked, what the checker says of it.

    Raises:
        ApiRefused: the graph is no JSON, or none that the API takes.
    """
    try:
        graph = orjson.loads(values["graph"])
    except orjson.JSONDecodeError as error:
        errors = [{"field": "graph", "message": str(error)}]
        raise ApiRefused(422, {"detail": str(error), "errors": errors}) from None
    if values.get("check") == "on":
        told = await page.api("POST", "/v1/programmes/check", body=graph)
        return page.part("programmes/findings.html", told=told)
    return {"name": values["name"], "graph": graph}


async def make(page: Page, values: Values) -> Json:
    """Make the programme."""
    body = await _written(page, values)
    if isinstance(body, Response):
        return body
    key = values.get("_key", "").encode("ascii", "ignore")
    return await page.api(
        "POST", "/v1/programmes", body=body, headers=[(b"idempotency-key", key)] if key else []
    )


async def change(page: Page, values: Values) -> Json:
    """Change the draft, unless somebody else has done so since it was read."""
    body = await _written(page, values)
    if isinstance(body, Response):
        return body
    return await page.api(
        "PUT",
        f"/v1/programmes/{page.params['programme_id']}",
        body=body,
        headers=[(b"if-match", f'"{values["version"]}"'.encode("ascii", "ignore"))],
    )


MAKE = Form(
    "programme_make",
    "POST",
    "/v1/programmes",
    "campaign:write",
    _FIELDS,
    do=make,
    then="/console/programmes/{id}",
)
CHANGE = Form(
    "programme_change",
    "PUT",
    "/v1/programmes/{programme_id}",
    "campaign:write",
    (*_FIELDS, Field("version", "hidden")),
    do=change,
)


@page("/console/programmes/new", needs="campaign:write", area="programmes", forms=[MAKE])
async def new_programme(page: Page) -> Response:
    """Write a programme; one that is ready made may stand there to begin with."""
    if page.is_fragment and page.failed is not None:
        return page.part("programmes/findings.html", told=None)
    asks: dict[str, str] = {}
    if key := page.query.get("from"):
        ready = await page.api("GET", "/v1/programmes/ready-made")
        for one in ready:
            if one["key"] == key:
                page.values[MAKE.name] = {"name": one["name"], "graph": _indented(one["graph"])}
                asks = one["asks_for"]
    templates = await page.maybe("GET", "/v1/templates", parameters={"limit": 200})
    return page.show("programmes/new.html", asks=asks, templates=(templates or {}).get("items", []))


@page(
    "/console/programmes/{programme_id}/edit",
    needs="campaign:write",
    area="programmes",
    forms=[CHANGE],
)
async def edit_programme(page: Page) -> Response:
    """Change the draft of a programme; who is in it goes on in the version in which they began."""
    if page.is_fragment and page.failed is not None:
        return page.part("programmes/findings.html", told=None)
    base = f"/v1/programmes/{page.params['programme_id']}"
    one = await page.api("GET", base)
    number = one["draft_version"] or one["live_version"]
    written = await page.api("GET", f"{base}/versions/{number}")
    page.values[CHANGE.name] = {
        "name": one["name"],
        "graph": _indented(written["graph"]),
        "version": str(one["version"]),
    }
    return page.show("programmes/edit.html", one=one, number=number)


def _indented(graph: Json) -> str:
    return orjson.dumps(graph, option=orjson.OPT_INDENT_2).decode()
