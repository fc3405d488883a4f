"""The typesetter: data in, PDF/A out; no network, no other file, and no database."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import local
from typing import Any, Final

import orjson
import typst

STANDARD: Final = "a-2b"
"""PDF/A-2: to be read in ten years, as bookkeeping law asks, with the letters of every language in it."""
LAYOUT = Path(str(files("orders_svc.billing.documents") / "invoice.typ"))
_ours = local()


@cache
def _fonts() -> "typst.Fonts":
    return typst.Fonts(include_system_fonts=False)


def typeset(documents: Sequence[dict[str, Any]]) -> bytes:
    """Return documents in one PDF/A, each on pages of its own; the same bytes each time.

    Takes milliseconds of a core for each, so call it in a thread. A file of many is much faster than many files.
    """
    made = _press().compile(
        format="pdf",
        sys_inputs={"data": orjson.dumps(documents).decode()},
        pdf_standards=STANDARD,
        pdf_tags=False,
    )
    if not isinstance(made, bytes):
        message = "the typesetter made no PDF"
        raise TypeError(message)
    return made


def _press() -> "typst.Compiler":
    """Return the typesetter of this thread: one that has the fonts and the layout in its memory already."""
    press: typst.Compiler | None = getattr(_ours, "press", None)
    if press is None:
        press = _ours.press = typst.Compiler(
            str(LAYOUT), root=str(LAYOUT.parent), font_paths=_fonts(), ignore_system_fonts=True
        )
    return press
