"""In which language a page is shown to a visitor."""

from collections.abc import Sequence

from starlette.requests import Request

from kantis_contracts.values import Language

_BROWSER_NAMES = {"no": Language.NB, "nn": Language.NB}


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


__all__ = ["choose_language"]
