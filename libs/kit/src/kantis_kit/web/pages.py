"""Pages for people: a frame, a small style, the words of their language, nothing from other hosts."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from kantis_contracts.values import Language
from kantis_kit.web.contact import CONTACT, CONTACT_PATH

_FRAME = Path(__file__).parent / "frame"


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def page_headers(
    language: Language,
    *,
    style: str,
    script: str = "",
    connects: bool = False,
    form_targets: Sequence[str] = (),
) -> dict[str, str]:
    """Return the headers of a page: what stands in it by its hash, nothing from elsewhere, no frames, not kept.

    Args:
        language: of the words.
        style: the text of its style.
        script: the text of its script, if it has one.
        connects: whether the script calls the host that the page came from.
        form_targets: further origins to which its form may lead the visitor.
    """
    allowed = f"script-src 'sha256-{_hash(script)}'; " if script else ""
    allowed += "connect-src 'self'; " if connects else ""
    targets = " ".join(["'self'", *form_targets])
    return {
        "Content-Security-Policy": f"default-src 'none'; {allowed}style-src 'sha256-{_hash(style)}'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'",
        "Content-Language": language.value,
        "Cache-Control": "no-store",
        # Addresses of pages are keys: no other site gets to see them. Under `no-referrer` browsers post our own forms with
        # `Origin: null`, as a stranger would.
        "Referrer-Policy": "same-origin",
    }


class Pages:
    """The templates of a folder, in the frame that pages share; each extends `frame.html` and fills its blocks."""

    def __init__(self, folder: Path, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = texts
        self._style = (folder / "page.css").read_text(encoding="utf-8")
        self._templates = Environment(
            loader=FileSystemLoader([folder, _FRAME]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )

    def page(
        self, name: str, language: Language, status: int = 200, **words: object
    ) -> HTMLResponse:
        """Return a page in a language, with the headers that it needs."""
        content = self._templates.get_template(f"{name}.html").render(
            language=language.value,
            t=self._texts[language.value],
            css=self._style,
            contact=CONTACT[language],
            contact_path=CONTACT_PATH,
            **words,
        )
        return HTMLResponse(content, status, headers=page_headers(language, style=self._style))


__all__ = ["Pages", "page_headers"]
