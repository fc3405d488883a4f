"""The page on which a person says no, in their language, without a script."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined

from kantis_contracts.values import Language
from kantis_kit.web.contact import CONTACT, CONTACT_PATH

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
STYLE = (
    "body{margin:0;background:#f6f6f4;color:#1c1c1c;font:18px/1.5 system-ui,sans-serif}"
    "main{max-width:34rem;margin:12vh auto;padding:2rem;background:#fff;border-radius:8px}"
    "h1{margin-top:0;font-size:1.6rem}button{display:block;width:100%;margin:.75rem 0;padding:.9rem 1rem;"
    "border:2px solid #0b5cad;border-radius:6px;background:#0b5cad;color:#fff;font:inherit;cursor:pointer}"
    "button.second{background:#fff;color:#0b5cad}button:focus-visible,a:focus-visible{outline:3px solid #ffb000;"
    "outline-offset:2px}.note{color:#595959;font-size:.9rem}a{color:#0b5cad}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}


@cache
def _engine() -> Environment:
    return Environment(
        loader=PackageLoader("messaging_svc.tracking", "html"),
        autoescape=True,
        undefined=StrictUndefined,
    )


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return the words of the page by language."""
    text = (files("messaging_svc.tracking") / "texts.json").read_bytes()
    loaded: dict[str, dict[str, str]] = orjson.loads(text)
    return loaded


def unsubscribe_page(
    language: Language, company: str, *, done: bool, preferences: str | None, is_test: bool = False
) -> str:
    """Return the page: the question, or that it is done."""
    texts = {
        key: words.format(company=company) for key, words in catalogue()[language.value].items()
    }
    return (
        _engine()
        .get_template("unsubscribe.html")
        .render(
            language=language.value,
            texts=texts,
            style=STYLE,
            done=done,
            preferences=preferences,
            is_test=is_test,
            contact=CONTACT[language],
            contact_path=CONTACT_PATH,
        )
    )


def page_of_a_test(language: Language) -> str:
    """Return what stands in a test message for a recipient's own page."""
    texts = catalogue()[language.value]
    return (
        _engine()
        .get_template("test.html")
        .render(language=language.value, texts=texts, style=STYLE)
    )
