"""Writing a template: one language at a time, looked at and checked before it is saved."""

from collections.abc import Mapping

from starlette.responses import Response

from gateway.console.calls import ApiRefused, Json
from gateway.console.forms import Field, Form, Values
from gateway.console.page import Page, page
from gateway.console.pages.templates.templates import LANGUAGES, as_mail

_TEXTS = (
    Field("subject", required=True),
    Field("preheader"),
    Field("html", "code"),
    Field("plain", "area"),
    Field("letter", "area"),
    Field("script", "area"),
)
_CLASSES = ("marketing", "newsletter", "service", "transactional", "dunning")
_ONE = "/v1/templates/{template_id}"


def texts_of(values: Values) -> dict[str, Json]:
    """Return the texts of a language as the API takes them; a plain text that is empty is made from the HTML."""
    texts: dict[str, Json] = {one.name: values.get(one.name, "") for one in _TEXTS}
    plain = str(texts.pop("plain")).strip()
    return {**texts, "text": plain or None}


async def _findings(page: Page, languages: Mapping[str, Json], message_class: str) -> Response:
    told = await page.api(
        "POST",
        "/v1/templates/lint",
        body={"languages": languages, "message_class": message_class},
    )
    return page.part("templates/findings.html", told=told)


async def make(page: Page, values: Values) -> Json:
    """Save a new template in its first language, or only check it."""
    languages = {values["language"]: texts_of(values)}
    if values.get("check") == "on":
        return await _findings(page, languages, values["message_class"])
    return await page.api(
        "POST",
        "/v1/templates",
        body={
            "name": values["name"],
            "message_class": values["message_class"],
            "languages": languages,
        },
        headers=[(b"idempotency-key", values.get("_key", "").encode("ascii", "ignore"))],
    )


async def save(page: Page, values: Values) -> Json:
    """Save a language as a new version with the other languages of the newest one, or only check it.

    Raises:
        ApiRefused: somebody else has saved a version since the page was opened.
    """
    base = f"/v1/templates/{page.params['template_id']}"
    one = await page.api("GET", base)
    if str(one["version"]) != values["version"]:
        raise ApiRefused(412, {"detail": page.t("templates.changed_meanwhile")})
    newest = await page.api("GET", f"{base}/versions/{one['version']}")
    languages = {**newest["languages"], values["language"]: texts_of(values)}
    if values.get("check") == "on":
        return await _findings(page, languages, newest["message_class"])
    kept = {name: newest[name] for name in ("message_class", "products")}
    return await page.api("PUT", base, body={**kept, "languages": languages})


async def look(page: Page, values: Values) -> Json:
    """Return the mail as it would look with what is typed."""
    language = values["language"]
    answer = await page.file(
        f"/v1/templates/{page.params['template_id']}/preview",
        method="POST",
        body={"language": language, "languages": {language: texts_of(values)}},
    )
    return as_mail(answer)


MAKE = Form(
    "template_make",
    "POST",
    "/v1/templates",
    "messaging:write",
    [
        Field("name", required=True),
        Field("message_class", "select", options=_CLASSES, required=True),
        Field("language", "select", options=LANGUAGES, required=True),
        *_TEXTS,
    ],
    do=make,
    then="/console/templates/{id}",
)
SAVE = Form(
    "template_save",
    "PUT",
    _ONE,
    "messaging:write",
    [Field("language", "hidden"), Field("version", "hidden"), *_TEXTS],
    do=save,
    then="/console/templates/{template_id}?done=template_save",
)
LOOK = Form("template_save", "POST", f"{_ONE}/preview", "messaging:read", SAVE.fields, do=look)
"""Of the frame in which a mail is shown: the same fields are sent to it, and nothing is kept."""


@page("/console/templates/new", needs="messaging:write", area="templates", forms=[MAKE])
async def new_template(page: Page) -> Response:
    """Write a new template in its first language."""
    if page.is_fragment and page.failed is not None:
        return page.part("templates/findings.html", told=None)
    page.values[MAKE.name] = {"language": page.signed_in.user.language}
    return page.show("templates/new.html")


@page(
    "/console/templates/{template_id}/edit/{language}",
    needs="messaging:write",
    area="templates",
    forms=[SAVE],
)
async def edit(page: Page) -> Response:
    """Write a template in one of its languages, or in a further one."""
    if page.is_fragment and page.failed is not None:
        return page.part("templates/findings.html", told=None)
    base, language = f"/v1/templates/{page.params['template_id']}", page.params["language"]
    one = await page.api("GET", base)
    newest = await page.api("GET", f"{base}/versions/{one['version']}")
    texts = newest["languages"].get(language, {})
    page.values[SAVE.name] = {
        "language": language,
        "version": str(one["version"]),
        **{field.name: texts.get(field.name) or "" for field in _TEXTS},
        "plain": texts.get("text") or "",
    }
    return page.show("templates/edit.html", one=one, language=language)


@page("/console/templates/{template_id}/looks", needs="messaging:read", forms=[LOOK])
async def looks(page: Page) -> Response:
    """Show in the frame why what is typed has no looks."""
    return page.part("templates/no_looks.html")
