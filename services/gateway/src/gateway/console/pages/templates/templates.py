"""Templates of mails: the list, and one as it will look."""

from starlette.responses import Response

from gateway.console.calls import Answer
from gateway.console.page import Page, page

LANGUAGES = ("nb", "sv", "da", "fi", "en")


def as_mail(answer: Answer) -> Response:
    """Return a mail for the frame in which nothing of it can run."""
    return Response(
        answer.content,
        media_type="text/html",
        headers={
            "Content-Security-Policy": "sandbox; default-src 'none'; img-src data:;"
            " style-src 'unsafe-inline'; frame-ancestors 'self'"
        },
    )


@page("/console/templates", needs="messaging:read", area="templates")
async def templates(page: Page) -> Response:
    """Show the templates."""
    found = await page.api(
        "GET", "/v1/templates", parameters={"cursor": page.query.get("cursor"), "limit": 50}
    )
    return page.show("templates/templates.html", templates=found)


@page("/console/templates/{template_id}", needs="messaging:read", area="templates")
async def template(page: Page) -> Response:
    """Show a template as it looks in one of its languages."""
    base = f"/v1/templates/{page.params['template_id']}"
    one = await page.api("GET", base)
    version = await page.api("GET", f"{base}/versions/{one['version']}")
    wanted = page.query.get("language", "")
    language = wanted if wanted in one["languages"] else one["languages"][0]
    return page.show(
        "templates/template.html",
        one=one,
        version=version,
        language=language,
        others=[one_more for one_more in LANGUAGES if one_more not in one["languages"]],
        text=version["languages"][language],
    )


@page("/console/templates/{template_id}/looks/{language}", needs="messaging:read")
async def looks(page: Page) -> Response:
    """Return the mail itself, for the frame in which nothing of it can run."""
    answer = await page.file(
        f"/v1/templates/{page.params['template_id']}/preview",
        method="POST",
        body={"language": page.params["language"]},
    )
    return as_mail(answer)
