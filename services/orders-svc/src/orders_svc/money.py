"""Amounts in minor units: VAT by integers, and dates for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from babel import Locale
from babel.dates import format_date

HUNDRED = 100


@dataclass(frozen=True, slots=True)
class VatShare:
    """What a rate's part of a sum is made of; `net_minor + vat_minor` is what was paid."""

    vat_pct: int
    net_minor: int
    vat_minor: int


def split_vat(gross_minor: int, vat_pct: int) -> VatShare:
    """Take the VAT out of an amount that includes it, rounded half up to the minor unit."""
    base = HUNDRED + vat_pct
    vat_minor = (2 * gross_minor * vat_pct + base) // (2 * base)
    return VatShare(vat_pct, gross_minor - vat_minor, vat_minor)


def split_by_rate(amounts: Iterable[tuple[int, int]]) -> list[VatShare]:
    """Split pairs of (amount with VAT, rate) per rate; each rate is rounded once, over its sum."""
    sums: dict[int, int] = {}
    for gross_minor, vat_pct in amounts:
        sums[vat_pct] = sums.get(vat_pct, 0) + gross_minor
    return [split_vat(gross_minor, vat_pct) for vat_pct, gross_minor in sorted(sums.items())]


def date_in_words(day: date, language: str) -> str:
    """Write a date as people of a language do."""
    return str(format_date(day, format="long", locale=_locale(language)))


def _locale(language: str) -> Locale:
    # British order of day and month: the texts are for Europeans.
    return Locale.parse("en_GB" if language == "en" else language)
