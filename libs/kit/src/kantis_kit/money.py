"""Amounts as people write them; the one place where a currency meets a number."""

import re
from decimal import Decimal

from babel.core import Locale
from babel.numbers import format_currency, get_currency_precision

_TOUCHING = re.compile(r"(?<=[^\W\d_])(?=\d)")
_SPACE = "\N{NO-BREAK SPACE}"


def in_words(amount_minor: int, currency: str, language: str) -> str:
    """Write an amount as people of a language do: `1 234,50 kr` in Norwegian.

    A currency's letters never touch its number: `NOK 1,234.50` in English, where the pattern has no space because it was
    made for signs (`€1,234.50`).

    Source: Unicode Technical Standard 35, part 3, "Currency spacing"; 2026-11.
    """
    places = get_currency_precision(currency)
    amount = Decimal(amount_minor).scaleb(-places)
    return _TOUCHING.sub(_SPACE, str(format_currency(amount, currency, locale=_locale(language))))


def _locale(language: str) -> Locale:
    # British: the texts are for Europeans.
    return Locale.parse("en_GB" if language == "en" else language)
