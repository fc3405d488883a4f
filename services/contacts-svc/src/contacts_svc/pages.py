"""Pages for people: one frame, one small style, five languages, nothing from other hosts; a script only where it is named."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from kantis_contracts.values import Language

_HERE = Path(__file__).parent
STYLE = (_HERE / "pages.css").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_STYLE_HASH = _hash(STYLE)
_environment = Environment(
    loader=FileSystemLoader([*sorted(_HERE.glob("*/pages")), _HERE]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# The style is a file of ours and stands in the policy by its hash; escaping would change it.
_environment.globals["style"] = Markup(STYLE)  # noqa: S704
_BROWSER_NAMES = {"no": Language.NB, "nn": Language.NB}


def page(
    template: str,
    *,
    language: Language,
    texts: Mapping[str, str],
    status: int = 200,
    form_targets: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    script: str = "",
    **values: Any,
) -> HTMLResponse:
    """Render a page. `form_targets` are further origins to which its form may lead the visitor.

    `script` is a file of ours that stands in the page as it is; the policy allows this one, by its hash.
    """
    body = _environment.get_template(template).render(
        language=language.value,
        t=texts,
        script=Markup(script),  # noqa: S704 - a file of ours; escaping would change it
        **values,
    )
    allowed = f"script-src 'sha256-{_hash(script)}'; " if script else ""
    policy = (
        f"default-src 'none'; {allowed}style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {' '.join(form_targets)}"
    ).strip()
    return HTMLResponse(
        body,
        status_code=status,
        headers={
            "Content-Security-Policy": policy,
            "Content-Language": language.value,
            "Cache-Control": "no-store",
            # Under `no-referrer` browsers post our own forms with `Origin: null`, as a stranger would.
            "Referrer-Policy": "same-origin",
            **(headers or {}),
        },
    )


def choose_language(request: Request, offered: Sequence[Language], fallback: Language) -> Language:
    """Return the language of a page: asked for by `?lang=`, else what the browser prefers, else the fallback."""
    wanted = [request.query_params.get("lang", "")[:16]]
    header = request.headers.get("accept-language", "")[:500]
    ranked = []
    for place, part in enumerate(header.split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), place, name))
        except ValueError:
            continue
    wanted += [name for _, _, name in sorted(ranked)]
    for name in wanted:
        short = name.lower().split("-")[0].split("_")[0]
        found = _BROWSER_NAMES.get(short) or next(
            (one for one in offered if one.value == short), None
        )
        if found in offered and found is not None:
            return found
    return fallback
