"""Amounts in minor units: VAT by integers, and dates and rates for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_percent

HUNDREDTHS = 100
"""Of a per cent: a rate is reckoned with as an integer of them."""
WHOLE = 100 * HUNDREDTHS


@dataclass(frozen=True, slots=True)
class VatShare:
    """What a rate's part of a sum is made of; `net_minor + vat_minor` is what was paid."""

    vat_pct: Decimal
    net_minor: int
    vat_minor: int


def split_vat(gross_minor: int, vat_pct: Decimal) -> VatShare:
    """Take the VAT out of an amount that includes it, rounded half up to the minor unit."""
    rate = int(vat_pct * HUNDREDTHS)
    base = WHOLE + rate
    vat_minor = (2 * gross_minor * rate + base) // (2 * base)
    return VatShare(vat_pct, gross_minor - vat_minor, vat_minor)


def split_by_rate(amounts: Iterable[tuple[int, Decimal]]) -> list[VatShare]:
    """Split pairs of (amount with VAT, rate) per rate; each rate is rounded once, over its sum."""
    sums: dict[Decimal, int] = {}
    for gross_minor, vat_pct in amounts:
        sums[vat_pct] = sums.get(vat_pct, 0) + gross_minor
    return [split_vat(gross_minor, vat_pct) for vat_pct, gross_minor in sorted(sums.items())]


def date_in_words(day: date, language: str) -> str:
    """Write a date as people of a language do."""
    return str(format_date(day, format="long", locale=_locale(language)))


def rate_in_words(vat_pct: Decimal, language: str) -> str:
    """Write a rate as people of a language do: `25 %`, `25,5 %`."""
    return str(
        format_percent(
            vat_pct / 100, format="#,##0.##\N{NO-BREAK SPACE}%", locale=_locale(language)
        )
    )


def _locale(language: str) -> Locale:
    # British order of day and month: the texts are for Europeans.
    return Locale.parse("en_GB" if language == "en" else language)
