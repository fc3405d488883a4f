"""The gateway's own pages for people."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.responses import Response

from gateway.console.texts import LANGUAGES, NAMES, TEXTS

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_FOLDER = Path(__file__).parent / "templates"
STYLE = "/console.css"


@cache
def _pages() -> Environment:
    return Environment(loader=FileSystemLoader(_FOLDER), autoescape=select_autoescape(default=True))


def _page(name: str, language: str, *, status: int = 200, **values: object) -> Response:
    html = _pages().get_template(name).render(language=language, t=TEXTS[language], **values)
    return Response(
        html,
        status_code=status,
        media_type="text/html",
        headers={
            "Content-Language": language,
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Cache-Control": "no-store",
            "Vary": "Accept-Language",
        },
    )


def landing(language: str, links: Sequence[tuple[str, str]]) -> Response:
    """Return the first page; links are (address, key of the text)."""
    texts = TEXTS[language]
    return _page(
        "landing.html",
        language,
        links=[(address, texts[key]) for address, key in links],
        languages=[(code, NAMES[code]) for code in LANGUAGES],
    )


def taken(language: str, *, status: int) -> Response:
    """Return the neutral page after a form was received."""
    return _page("taken.html", language, status=status)


def style() -> Response:
    """Return the one style sheet."""
    return Response(
        (_FOLDER / "console.css").read_bytes(),
        media_type="text/css",
        headers={"Cache-Control": "public, max-age=3600"},
    )
