"""Words of our own in messages: greetings and footers, in every language."""

from collections.abc import Mapping
from functools import lru_cache

from kantis_contracts.values import Language
from kantis_kit.money import in_words

GREETING: Mapping[Language, str] = {
    Language.NB: "Hei",
    Language.SV: "Hej",
    Language.DA: "Hej",
    Language.FI: "Hei",
    Language.EN: "Hello",
}
FOOTER: Mapping[Language, tuple[str, str, str]] = {
    Language.NB: (
        "Du får denne e-posten fordi du har sagt ja til det.",
        "Meld meg av",
        "Mine valg",
    ),
    Language.SV: (
        "Du får det här mejlet för att du har tackat ja till det.",
        "Avsluta utskick",
        "Mina val",
    ),
    Language.DA: ("Du får denne e-mail, fordi du har sagt ja til det.", "Afmeld mig", "Mine valg"),
    Language.FI: (
        "Saat tämän viestin, koska olet antanut siihen luvan.",
        "Peru tilaus",
        "Omat valintani",
    ),
    Language.EN: ("You receive this e-mail because you agreed to it.", "Unsubscribe", "My choices"),
}


def greeting(language: Language, preferred_name: str) -> str:
    """Greet by the name that the person gave; without one, neutrally. A name is never guessed."""
    name = preferred_name.strip()
    return f"{GREETING[language]} {name}" if name else GREETING[language]


@lru_cache(maxsize=1_024)
def price(amount_minor: int, currency: str, language: Language) -> str:
    """Return an amount as people of the language write it."""
    return in_words(amount_minor, currency, language.value)
