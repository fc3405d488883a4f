"""Imports: what came, and a file to take; a preview tells how it would be read and keeps nothing."""

from collections.abc import Mapping

from starlette.responses import Response

from gateway.console.calls import Json
from gateway.console.forms import Field, Form, Values
from gateway.console.page import Page, page
from gateway.routes.table import IMPORT_BODY_BYTES

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def take(page: Page, values: Values) -> Json:
    """Send the file on, as it is; with `preview` only to hear how it would be read."""
    name, parts = page.posted_file("file")
    is_preview = values.get("preview") == "on"
    parameters: Mapping[str, Json] = {
        "name": name,
        "source": values["source"].strip(),
        "permission_source": values["permission_source"].strip(),
        "permission_text": values["permission_text"].strip(),
        "preview": is_preview,
    }
    kind = _XLSX if name.lower().endswith(".xlsx") else "text/csv"
    key = values.get("_key", "").encode("ascii", "ignore")
    told = await page.api(
        "POST",
        "/v1/imports",
        parameters=parameters,
        content=(kind, parts),
        headers=[(b"idempotency-key", key)] if key and not is_preview else [],
    )
    return page.part("imports/preview.html", told=told) if is_preview else told


IMPORT = Form(
    "import",
    "POST",
    "/v1/imports",
    "contacts:write",
    [
        Field("file", "file", required=True),
        Field("source", required=True),
        Field("permission_source"),
        Field("permission_text", "area"),
    ],
    do=take,
    then="/console/imports/{id}",
)


@page(
    "/console/imports",
    needs="contacts:read",
    area="imports",
    forms=[IMPORT],
    max_body_bytes=IMPORT_BODY_BYTES,
)
async def files(page: Page) -> Response:
    """Show the imports so far, and take another one."""
    if page.is_fragment and page.failed is not None:
        return page.part("imports/refused.html")
    found = await page.api("GET", "/v1/imports", parameters={"limit": 50})
    return page.show("imports/files.html", imports=found)
