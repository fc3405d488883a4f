"""Programmes: the list, and one as a drawing with how many stand at each step."""

from starlette.responses import Response

from gateway.console.forms import Form
from gateway.console.page import Page, page

_BASE = "/v1/programmes/{programme_id}"


def _button(name: str) -> Form:
    return Form(
        f"programme_{name}",
        "POST",
        f"{_BASE}/{name}",
        "campaign:write",
        has_body=False,
        is_plain=True,
    )


PUBLISH, PAUSE, RESUME = _button("publish"), _button("pause"), _button("resume")


@page("/console/programmes", needs="campaign:read", area="programmes")
async def programmes(page: Page) -> Response:
    """Show the programmes, and those that are ready made."""
    found = await page.api(
        "GET", "/v1/programmes", parameters={"cursor": page.query.get("cursor"), "limit": 50}
    )
    ready = await page.api("GET", "/v1/programmes/ready-made")
    tasks = await page.api("GET", "/v1/tasks", parameters={"limit": 50})
    return page.show("programmes/programmes.html", found=found, ready=ready, tasks=tasks["items"])


@page(
    "/console/programmes/{programme_id}",
    needs="campaign:read",
    area="programmes",
    forms=[PUBLISH, PAUSE, RESUME],
)
async def programme(page: Page) -> Response:
    """Show a programme and who is in it."""
    base = f"/v1/programmes/{page.params['programme_id']}"
    one = await page.api("GET", base)
    runs = await page.api(
        "GET", f"{base}/runs", parameters={"cursor": page.query.get("cursor"), "limit": 50}
    )
    return page.show("programmes/programme.html", one=one, runs=runs)


@page("/console/programmes/{programme_id}/drawing.svg", needs="campaign:read")
async def drawing(page: Page) -> Response:
    """Return the drawing, as a picture in which nothing can run."""
    answer = await page.file(
        f"/v1/programmes/{page.params['programme_id']}/drawing.svg",
        parameters={"version": page.query.get("version")},
    )
    return Response(
        answer.content,
        media_type="image/svg+xml",
        headers={
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        },
    )
