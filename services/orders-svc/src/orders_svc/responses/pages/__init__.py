"""Pages for the holders of response codes: templates, one style, strict headers."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from orders_svc.responses.texts import TEXTS

_FOLDER = Path(__file__).parent
_CSS = (_FOLDER / "page.css").read_text(encoding="utf-8")
_PAGES = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True)
_STYLE = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def render(name: str, language: str, **words: object) -> str:
    """Return a page in a language."""
    page = _PAGES.get_template(f"{name}.html")
    return page.render(language=language, t=TEXTS[language], css=_CSS, **words)


def headers(language: str) -> dict[str, str]:
    """Return the headers of a page: nothing from elsewhere, no frames, its language."""
    return {"Content-Security-Policy": _POLICY, "Content-Language": language}
