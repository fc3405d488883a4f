"""One import: how far it is, what came of it, and taking it back."""

from starlette.responses import Response

from gateway.console.forms import Form
from gateway.console.page import Page, page

UNDO = Form(
    "import_undo",
    "POST",
    "/v1/imports/{import_id}/undo",
    "contacts:write",
    has_body=False,
    is_plain=True,
)


@page("/console/imports/{import_id}", needs="contacts:read", area="imports", forms=[UNDO])
async def progress(page: Page) -> Response:
    """Show an import; while it runs, its figures come anew each second."""
    one = await page.api("GET", f"/v1/imports/{page.params['import_id']}")
    if page.is_fragment:
        return page.part("imports/figures.html", one=one)
    return page.show("imports/progress.html", one=one)


@page("/console/imports/{import_id}/rejects.csv", needs="contacts:read")
async def rejects(page: Page) -> Response:
    """Return the rows that were not taken."""
    answer = await page.file(f"/v1/imports/{page.params['import_id']}/rejects.csv")
    return page.download(answer, "rejects.csv")
