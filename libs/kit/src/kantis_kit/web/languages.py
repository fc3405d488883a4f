"""In which language a page is shown to a visitor."""

from collections.abc import Sequence

from starlette.requests import Request

from kantis_contracts.values import Language

_BROWSER_NAMES = {"no": Language.NB, "nn": Language.NB}
_MOST = 500
"""Signs of a header that are read; browsers send less than a hundred."""


def choose_language(request: Request, offered: Sequence[Language], fallback: Language) -> Language:
    """Return the language of a page: asked for by `?lang=`, else what the browser prefers, else the fallback."""
    wanted = _find(request.query_params.get("lang", "")[:16], offered)
    return wanted or preferred_language(
        request.headers.get("accept-language", ""), offered, fallback
    )


def preferred_language(
    accept_language: str, offered: Sequence[Language], fallback: Language
) -> Language:
    """Return what a browser prefers of what is offered, by its `Accept-Language`; Norwegian of any kind is nb.

    Source: RFC 9110, 12.4.2 and 12.5.4: weights from 0 to 1, where 0 is "not acceptable"; 2026-11.
    """
    ranked = []
    for place, part in enumerate(accept_language[:_MOST].split(",")):
        name, *more = (one.strip() for one in part.split(";"))
        try:
            weight = next((float(one[2:]) for one in more if one[:2].lower() == "q="), 1.0)
        except ValueError:
            continue
        if weight > 0:
            ranked.append((-weight, place, name))
    found = (_find(name, offered) for _, _, name in sorted(ranked))
    return next((one for one in found if one is not None), fallback)


def _find(name: str, offered: Sequence[Language]) -> Language | None:
    short = name.lower().split("-")[0].split("_")[0]
    wanted = _BROWSER_NAMES.get(short, short)
    return next((one for one in offered if one == wanted), None)


__all__ = ["choose_language", "preferred_language"]
