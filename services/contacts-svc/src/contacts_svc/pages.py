"""Pages for people: one frame, one small style, five languages, nothing from other hosts; a script only where it is named."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from kantis_contracts.values import Language
from kantis_kit.web.contact import CONTACT, CONTACT_PATH
from kantis_kit.web.pages import page_headers

_HERE = Path(__file__).parent
STYLE = (_HERE / "pages.css").read_text(encoding="utf-8")


_environment = Environment(
    loader=FileSystemLoader([*sorted(_HERE.glob("*/pages")), _HERE]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# The style is a file of ours and stands in the policy by its hash; escaping would change it.
_environment.globals["style"] = Markup(STYLE)  # noqa: S704


def page(
    template: str,
    *,
    language: Language,
    texts: Mapping[str, str],
    status: int = 200,
    form_targets: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    script: str = "",
    who: str = "",
    **values: Any,
) -> HTMLResponse:
    """Render a page. `form_targets` are further origins to which its form may lead the visitor.

    `who` says in a signed form who looks at it, for the way to a person of ours that every page has.
    `script` is a file of ours that stands in the page as it is; the policy allows this one, by its hash.
    """
    body = _environment.get_template(template).render(
        language=language.value,
        t=texts,
        contact=CONTACT[language],
        contact_path=CONTACT_PATH,
        who=who,
        script=Markup(script),  # noqa: S704 - a file of ours; escaping would change it
        **values,
    )
    safe = page_headers(language, style=STYLE, script=script, form_targets=form_targets)
    return HTMLResponse(body, status_code=status, headers={**safe, **(headers or {})})
