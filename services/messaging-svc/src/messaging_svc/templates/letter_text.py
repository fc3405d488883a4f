"""The text of a letter on paper: paragraphs, headings, lists and bold words.

    # A heading
    A paragraph with **bold words**;
    a new line stays a new line.

    - one thing
    - another

What a field holds is never read as markup: a person who is called `**Kari**` is printed so.
"""

import re
from typing import Any

from messaging_svc.templates.errors import CannotRender

MAX_CHARS = 20_000
"""Of a letter's text, filled in; some eight pages."""
_STAR, _EDGE = "\ue010", "\ue011"
_KEEP = {ord(_STAR): "*", ord(_EDGE): ""}
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_ITEM = re.compile(r"(?:[-–•]|(\d{1,3})[.)])\s+")
_HEADING = re.compile(r"#{1,3}\s+")
# Of control characters, a letter needs the line end alone; the two marks above are ours.
_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ue010\ue011]")

Runs = list[tuple[str, str]]
"""Pieces of a line, each with its style: plain (``), bold (`b`) or a line break (`br`)."""
Block = tuple[str, list[Any]]
"""`p` and `h` hold runs; `ul` and `ol` hold a list of runs for each of their items."""


def guarded(value: object) -> str:
    """Return what a field holds with all that could be read as markup hidden from the parser."""
    text = _UNPRINTABLE.sub("", str(value)).replace("\n", " ").replace("*", _STAR)
    return f"{_EDGE}{text}" if text else ""


def parse(text: str) -> list[Block]:
    """Return the blocks of a letter's text that has been filled in.

    Raises:
        CannotRender: it is too long for a letter, or nothing is left of it.
    """
    if len(text) > MAX_CHARS:
        raise CannotRender(f"letter: the text has more than {MAX_CHARS} characters")
    blocks: list[Block] = []
    paragraph: list[str] = []

    def close() -> None:
        if paragraph:
            blocks.append(("p", _runs("\n".join(paragraph))))
            paragraph.clear()

    for line in (line.strip() for line in _unmarked(text).split("\n")):
        item, heading = _ITEM.match(line), _HEADING.match(line)
        if not line.translate(_KEEP).strip():
            close()
        elif heading:
            close()
            blocks.append(("h", _runs(line[heading.end() :])))
        elif item:
            close()
            kind = "ol" if item[1] else "ul"
            if not blocks or blocks[-1][0] != kind:
                blocks.append((kind, []))
            blocks[-1][1].append(_runs(line[item.end() :]))
        else:
            paragraph.append(line)
    close()
    if not blocks:
        raise CannotRender("letter: nothing is left of the text for this recipient")
    return blocks


def _unmarked(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _runs(line: str) -> Runs:
    runs: Runs = []
    at = 0
    for bold in _BOLD.finditer(line):
        _add(runs, "", line[at : bold.start()])
        _add(runs, "b", bold[1])
        at = bold.end()
    _add(runs, "", line[at:])
    return runs


def _add(runs: Runs, style: str, text: str) -> None:
    for index, part in enumerate(text.translate(_KEEP).split("\n")):
        if index:
            runs.append(("br", ""))
        if part:
            runs.append((style, part))
