"""National identity numbers: known when they are seen, and refused where no field is declared for them."""

import re
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from stdnum.dk import cpr
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu
from stdnum.is_ import kennitala
from stdnum.no import fodselsnummer
from stdnum.se import personnummer

from kantis_kit.errors import Invalid


class NationalNumberRefused(Invalid):
    """A national identity number where no field is declared for one."""

    slug, title = "national-number-refused", "National identity numbers are not kept here"


_ELEVEN = re.compile(r"(?<!\d)\d{6} ?\d{5}(?!\d)")
_TEN = re.compile(r"(?<!\d)(\d{6})([- ]?)(\d{4})(?!\d)")
_TWELVE = re.compile(r"(?<!\d)\d{8}[- +]?\d{4}(?!\d)")
_FINNISH = re.compile(r"(?<!\d)\d{6}[-+A-FU-Ya-fu-y]\d{3}[0-9A-Ya-y](?![0-9A-Za-z])")


_RUN = re.compile(r"\d{6}")
"""The digits in a row with which each of them begins."""


def national_number_in(text: str) -> str | None:
    """Name the kind of national identity number that a free text holds, or None.

    Ten digits without a sign between them count only with a valid check digit, so that order and phone numbers pass.
    """
    if _RUN.search(text) is None:
        return None
    return next((name for name, holds in _NATIONAL.items() if holds(text)), None)


def _is_swedish(text: str) -> bool:
    return any(
        personnummer.is_valid(found[0].replace(" ", "-")) for found in _TWELVE.finditer(text)
    ) or any(personnummer.is_valid(f"{found[1]}-{found[3]}") for found in _TEN.finditer(text))


def _is_danish(text: str) -> bool:
    return any(
        cpr.is_valid(found[1] + found[3]) and (found[2] or cpr.checksum(found[1] + found[3]) == 0)
        for found in _TEN.finditer(text)
    )


def _is_icelandic(text: str) -> bool:
    # The numbers of companies are made the same way, with 40 added to the day.
    return any(
        found[1][0] in "0123" and kennitala.is_valid(found[1] + found[3])
        for found in _TEN.finditer(text)
    )


_NATIONAL: Mapping[str, Callable[[str], bool]] = {
    "Norwegian fødselsnummer": lambda text: any(
        fodselsnummer.is_valid(found[0].replace(" ", "")) for found in _ELEVEN.finditer(text)
    ),
    "Finnish henkilötunnus": lambda text: any(
        hetu.is_valid(found[0].upper()) for found in _FINNISH.finditer(text)
    ),
    "Icelandic kennitala": _is_icelandic,
    "Swedish personnummer": _is_swedish,
    "Danish CPR number": _is_danish,
}


def refuse_national_numbers(
    values: Mapping[str, Any], *, allow: Container[str] = (), where: str = "body"
) -> None:
    """Refuse national identity numbers in what people write, texts within lists and objects included.

    Args:
        values: What was sent, by the names of its fields.
        allow: Fields that are declared for such numbers.
        where: Where the fields stand, for the answer.

    Raises:
        NationalNumberRefused: names the field and the kind of number, never the number.
    """
    for name, text in _texts(values, ""):
        kind = None if name in allow else national_number_in(text)
        if kind:
            raise NationalNumberRefused(
                f"{name}: holds what looks like a national identity number ({kind}); such numbers are not kept here, leave it out",
                errors=[
                    {
                        "in": where,
                        "field": name,
                        "message": f"looks like a national identity number ({kind})",
                    }
                ],
            )


def _texts(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{name}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{name}[{index}]")


_NUMBERS: Mapping[str, Any] = {
    "NO": fodselsnummer,
    "SE": personnummer,
    "DK": cpr,
    "FI": hetu,
    "IS": kennitala,
}
COUNTRIES = tuple(_NUMBERS)
"""Countries whose identity numbers are known."""


def read_national_number(given: str, country: str) -> str:
    """Return an identity number in its one spelling.

    Raises:
        ValueError: it is none of that country.
    """
    try:
        found: str = _NUMBERS[country].validate(given.strip().upper())
    except (KeyError, ValidationError) as error:
        message = f"this is no identity number of {country}"
        raise ValueError(message) from error
    return found
