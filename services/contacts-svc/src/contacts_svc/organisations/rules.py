"""Kinds of organisations, and their numbers in the registers of five countries."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from stdnum.dk import cvr
from stdnum.exceptions import ValidationError
from stdnum.fi import ytunnus
from stdnum.is_ import kennitala
from stdnum.no import orgnr as no_orgnr
from stdnum.se import orgnr as se_orgnr

from contacts_svc.national import national_number_in

MAX_GIVEN = 40


class OrganisationKind(StrEnum):
    """What kind of recipient an organisation is; the law treats each differently."""

    COMPANY = "company"
    SOLE_TRADER = "sole_trader"
    PUBLIC = "public"
    ASSOCIATION = "association"


_REGISTERS: Mapping[str, tuple[Any, str]] = {
    "NO": (no_orgnr, "organisasjonsnummer of nine digits"),
    "SE": (se_orgnr, "organisationsnummer of ten digits"),
    "DK": (cvr, "CVR number of eight digits"),
    "FI": (ytunnus, "Y-tunnus such as 2077474-0"),
    "IS": (kennitala, "kennitala of ten digits"),
}
_VAT = {"NO": ("NO", "MVA"), "SE": ("SE", "01"), "DK": ("DK", ""), "FI": ("FI", ""), "IS": ("", "")}
_ORGANISATIONS_BEGIN = "4567"
"""The first digit of a company's kennitala: 40 is added to the day."""
_SE_LEAST_MONTH = "2"
"""The third digit of a company's organisationsnummer is at least this; a person's is the month of birth."""


class NumberInvalid(ValueError):
    """No such number can exist; the message says why."""


def read_number(given: str, country: str) -> str:
    """Return an organisation's number without spaces and signs; numbers of other countries are kept as they are.

    Raises:
        NumberInvalid: it is none of the country's register, or it is a person's identity number.
    """
    text = " ".join(given.split())
    if not text or country not in _REGISTERS:
        return text.upper()
    module, words = _REGISTERS[country]
    bare = _without_vat(text.upper().replace(" ", ""), country)
    try:
        found: str = module.validate(bare)
    except ValidationError as error:
        message = f"this is no {words}: a digit is wrong, missing or too many"
        raise NumberInvalid(message) from error
    if (country == "IS" and found[0] not in _ORGANISATIONS_BEGIN) or (
        country == "SE"
        and found[2] < _SE_LEAST_MONTH
        and national_number_in(f"{found[:6]}-{found[6:]}")
    ):
        message = "this is the identity number of a person, which is not kept here; leave it out"
        raise NumberInvalid(message)
    return found


def _without_vat(text: str, country: str) -> str:
    before, after = _VAT[country]
    if before and text.startswith(before):
        text = text.removeprefix(before)
        # The tail belongs to the VAT number only: an organisation's number may end in 01 by itself.
        return text.removesuffix(after)
    return text.removesuffix("MVA") if country == "NO" else text
