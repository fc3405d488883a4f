"""Numbers and days as people write them in the Nordic countries: how a column writes them is decided once, over a sample.

What a column writes cannot be told from one cell (`01/02/2026`, `1.234`); what the sample leaves open is read as is usual
here and said so in the preview, where it can be overruled.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

EXAMPLES: Final = 3
_EPOCH = date(1899, 12, 30)  # day 0 of Excel's calendar, with its 29 February 1900
_PIVOT = 69  # 00–68 are years of this century, as POSIX reads them
_YEARS = range(1800, 2201)
_MONTHS = 12
_ISO = re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[T ]\d{2}:\d{2}.*)?")
_DOTS = re.compile(
    r"(?P<d>\d{1,2})\. ?(?P<m>\d{1,2})\. ?(?P<y>\d{4}|\d{2})(?: \d{1,2}[:.]\d{2}.*)?"
)
_SLASH = re.compile(
    r"(?P<d>\d{1,2})[/-](?P<m>\d{1,2})[-/ ](?P<y>\d{4}|\d{2})(?: \d{1,2}[:.]\d{2}.*)?"
)
_SLASH_US = re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4}|\d{2})(?: \d{1,2}[:.]\d{2}.*)?")
_COMPACT = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
_SPACES = " \u00a0\u202f\u2009'\u2019"
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:[.]\d{3})+|[-+]?\d{1,3}(?:,\d{3})+")


class Form(StrEnum):
    """How a column writes its values."""

    ISO = "yyyy-mm-dd"
    DOTS = "dd.mm.yyyy"
    SLASH = "dd/mm/yyyy"
    SLASH_US = "mm/dd/yyyy"
    COMPACT = "yyyymmdd"
    SERIAL = "excel-serial"
    COMMA = "decimal-comma"
    POINT = "decimal-point"


class Unreadable(ValueError):
    """A cell that is not what its column holds; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Decided:
    """How a column is read; `doubt` says in a sentence what the sample left open."""

    form: Form
    doubt: str = ""


_DAYS: Mapping[Form, re.Pattern[str]] = {
    Form.ISO: _ISO,
    Form.DOTS: _DOTS,
    Form.SLASH: _SLASH,
    Form.SLASH_US: _SLASH_US,
    Form.COMPACT: _COMPACT,
}
_EXPECTED: Mapping[Form, str] = {
    Form.ISO: "a day such as 2026-12-31",
    Form.DOTS: "a day such as 31.12.2026",
    Form.SLASH: "a day such as 31/12/2026 or 31/12-26",
    Form.SLASH_US: "a day such as 12/31/2026",
    Form.COMPACT: "a day such as 20261231",
    Form.SERIAL: "a day as Excel counts them, such as 46387",
    Form.COMMA: "a number such as 1 234,50",
    Form.POINT: "a number such as 1,234.50",
}
FORMS_OF: Mapping[str, tuple[Form, ...]] = {
    "date": (Form.ISO, Form.DOTS, Form.SLASH, Form.SLASH_US, Form.COMPACT, Form.SERIAL),
    "decimal": (Form.COMMA, Form.POINT),
    "number": (Form.COMMA, Form.POINT),
}
"""What can be decided of a column, by the kind of the field that it fills."""


def decide(kind: str, cells: Iterable[str]) -> Decided | None:
    """Say how a column writes its values; None for kinds that are written one way."""
    given = [cell.strip() for cell in cells if cell.strip() not in {"", "-"}]
    if kind == "date":
        return _decide_day(given)
    return _decide_number(given) if kind in FORMS_OF else None


def _decide_day(given: list[str]) -> Decided:
    fits = {
        form: sum(_is_read(read_day, form, cell) for cell in given) for form in FORMS_OF["date"]
    }
    best = max(fits, key=lambda form: (fits[form], -FORMS_OF["date"].index(form)))
    if not given or not fits[best]:
        return Decided(Form.ISO, "no cell of the sample could be read as a day")
    both = best in (Form.SLASH, Form.SLASH_US) and fits[Form.SLASH] == fits[Form.SLASH_US]
    return Decided(
        Form.SLASH if both else best,
        "no day of the sample is later than the 12th: the day is taken to come first"
        if both
        else "",
    )


def _decide_number(given: list[str]) -> Decided:
    cells = ["".join(sign for sign in cell if sign not in _SPACES) for cell in given]
    comma = sum("," in cell and _ends_with_decimals(cell, ",") for cell in cells)
    point = sum("." in cell and _ends_with_decimals(cell, ".") for cell in cells)
    if comma or point:
        return Decided(
            Form.COMMA if comma >= point else Form.POINT,
            "the sample holds decimal commas and decimal points" if comma and point else "",
        )
    is_open = any(_GROUPED.fullmatch(cell) for cell in cells)
    return Decided(
        Form.COMMA,
        "numbers such as 1.234 are taken as thousands, and a comma as the decimal sign"
        if is_open
        else "",
    )


def _ends_with_decimals(cell: str, sign: str) -> bool:
    other = "." if sign == "," else ","
    if cell.count(sign) > 1 or other in cell[cell.rfind(sign) :]:
        return False
    return other in cell or not _GROUPED.fullmatch(cell)


def _is_read(reader: Callable[[str, Form], str], form: Form, cell: str) -> bool:
    try:
        reader(cell, form)
    except Unreadable:
        return False
    return True


def read_day(cell: str, form: Form) -> str:
    """Return a day as `2026-12-31`. Raises `Unreadable`."""
    text = cell.strip()
    if form is Form.SERIAL:
        return _read_serial(text)
    found = _DAYS[form].fullmatch(text)
    # A file from a spreadsheet may hold true dates beside written ones: the unmistakable spelling always counts.
    found = found or _ISO.fullmatch(text)
    if found is None:
        raise Unreadable(_refusal(cell, form))
    year = int(found["y"])
    if len(found["y"]) < len("2026"):
        year += 2000 if year < _PIVOT else 1900
    try:
        day = date(year, int(found["m"]), int(found["d"]))
    except ValueError as error:
        raise Unreadable(_refusal(cell, form)) from error
    if day.year not in _YEARS:
        raise Unreadable(f"{text[:20]!r} is no year of our time")
    return day.isoformat()


def _read_serial(text: str) -> str:
    if not _SERIAL.fullmatch(text):
        found = _ISO.fullmatch(text)
        if found:
            return read_day(text, Form.ISO)
        raise Unreadable(_refusal(text, Form.SERIAL))
    return (_EPOCH + timedelta(days=int(re.split("[.,]", text)[0]))).isoformat()


def read_number(cell: str, form: Form) -> str:
    """Return a number with a decimal point and nothing else. Raises `Unreadable`."""
    text = "".join(sign for sign in cell.strip() if sign not in _SPACES).replace("\u2212", "-")
    sign, group = (",", ".") if form is Form.COMMA else (".", ",")
    whole, _, rest = text.partition(sign)
    parts = whole.lstrip("+-").split(group)
    is_grouped = len(parts) > 1
    well = (
        all(part.isascii() and part.isdigit() for part in parts)
        and (
            not is_grouped
            or (len(parts[0]) <= len("123") and all(len(p) == len("123") for p in parts[1:]))
        )
        and (not rest or (rest.isascii() and rest.isdigit()))
        and len(whole) - len(whole.lstrip("+-")) <= 1
        and (rest or sign not in text)
    )
    if not well:
        raise Unreadable(_refusal(cell, form))
    minus = "-" if whole.startswith("-") else ""
    return f"{minus}{''.join(parts)}" + (f".{rest}" if rest else "")


def _refusal(cell: str, form: Form) -> str:
    return f"{cell.strip()[:40]!r} is not {_EXPECTED[form]}, as this column writes them"


def read(kind: str, form: Form | None, cell: str) -> str:
    """Return a cell in the spelling that declared fields take. Raises `Unreadable`."""
    if form is None:
        return cell
    if kind == "date":
        return read_day(cell, form)
    text = read_number(cell, form)
    return text.removesuffix(".0") if kind == "number" else text
