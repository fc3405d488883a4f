"""The pages on which people reach us: chat, and the wish to be called; in five languages, with and without a script."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from kantis_contracts.values import Language
from kantis_kit.web.contact import CONTACT, CONTACT_PATH
from kantis_kit.web.pages import page_headers
from messaging_svc.tracking.pages import STYLE

_FOLDER = files("messaging_svc.conversations")
_CSS = STYLE + (_FOLDER / "html" / "page.css").read_text(encoding="utf-8")
_SCRIPTS = {"talk.html": "talk.js", "call.html": "call.js"}


@cache
def _engine() -> Environment:
    return Environment(
        loader=PackageLoader("messaging_svc.conversations", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return the words of the pages by language."""
    loaded: dict[str, dict[str, str]] = orjson.loads((_FOLDER / "texts.json").read_bytes())
    return loaded


@cache
def _script(name: str) -> str:
    return (_FOLDER / "html" / name).read_text(encoding="utf-8")


def page(template: str, language: Language, *, status: int = 200, **values: Any) -> Response:
    """Render a page; its policy lets its own style and script in, by their hashes, and nothing else."""
    script = _script(_SCRIPTS[template]) if template in _SCRIPTS else ""
    body = (
        _engine()
        .get_template(template)
        .render(
            language=language.value,
            t=catalogue()[language.value],
            style=_CSS,
            script=script,
            **values,
        )
    )
    headers = page_headers(language, style=_CSS, script=script, connects=bool(script))
    return HTMLResponse(body, status_code=status, headers=headers)


def snippet(language: Language, *, public_url: str) -> str:
    """Return the script that puts the way to us on another site; its words are data, never code."""
    data = {
        "address": f"{public_url.rstrip('/')}{CONTACT_PATH}?lang={language.value}",
        "words": CONTACT[language],
    }
    literal = json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
    return _script("snippet.js").replace("/*DATA*/{}", literal)
