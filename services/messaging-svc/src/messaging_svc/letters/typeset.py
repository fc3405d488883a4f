"""Letters become pages: data in, PDF/A out; no network, no other file, and nothing is read as markup."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import orjson
import typst

from messaging_svc.letters.sheets import Sender, Sheet, words_of
from messaging_svc.letters.windows import Window

CHUNK = 25
"""Letters per run. The typesetter keeps what its last ten runs have made: twice as many, twice the memory."""
_FORGETTING_RUNS = 3
"""Runs over nothing after each chunk, by which the typesetter forgets sooner; each takes some microseconds."""
STANDARD: Final = "a-1b"
"""PDF/A-1 is a PDF 1.4, whose objects lie open one after the other: `pdf` can join such files as they come."""
LAYOUT = Path(str(files("messaging_svc.letters") / "layout.typ"))


@cache
def _fonts() -> "typst.Fonts":
    return typst.Fonts(include_system_fonts=False)


@cache
def _idle() -> "typst.Compiler":
    return typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)


def compiler(layout: Path = LAYOUT) -> "typst.Compiler":
    """Return a typesetter that sees the layout's folder and its own fonts alone."""
    return typst.Compiler(
        str(layout), root=str(layout.parent), font_paths=_fonts(), ignore_system_fonts=True
    )


def data_of(sheets: Sequence[Sheet], sender: Sender, window: Window, day: date) -> dict[str, str]:
    """Return what the layout is given."""
    data = {
        "title": sheets[0].letter.subject,
        "company": sender.company,
        "day": [day.year, day.month, day.day],
        "window": window.model_dump(mode="json"),
        "letters": [words_of(sheet, sender, day) for sheet in sheets],
    }
    return {"data": orjson.dumps(data).decode()}


def typeset(
    sheets: Sequence[Sheet], sender: Sender, window: Window, day: date
) -> tuple[bytes, list[int]]:
    """Return a PDF with these letters in their order, and how many pages each takes; call it in a thread."""
    press = compiler()
    made = press.compile(
        format="pdf",
        sys_inputs=data_of(sheets, sender, window, day),
        pdf_standards=STANDARD,
        pdf_tags=False,
    )
    if not isinstance(made, bytes):
        message = "the typesetter made no PDF"
        raise TypeError(message)
    ends = [page for _, page in orjson.loads(press.query("<end>", field="value"))]
    for _ in range(_FORGETTING_RUNS):
        _idle().compile(b"", format="svg")
    return made, [page - before for before, page in zip([0, *ends], ends, strict=False)]


def picture(
    sheets: Sequence[Sheet], sender: Sender, window: Window, day: date, *, ppi: float = 144
) -> list[bytes]:
    """Return the pages as PNG, for people to look at."""
    made = compiler().compile(
        format="png", sys_inputs=data_of(sheets, sender, window, day), ppi=ppi
    )
    return [made] if isinstance(made, bytes) else list(made or [])
