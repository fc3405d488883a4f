"""What the person at the till reads, per language."""

from datetime import datetime
from zoneinfo import ZoneInfo

TEXTS: dict[str, dict[str, str]] = {
    "nb": {
        "unknown": "Vi kjenner ikke denne kupongen. Se på koden en gang til.",
        "misread": "Koden er skrevet feil: kontrolltegnet stemmer ikke. Se på den en gang til.",
        "redeemed": "Kupongen er allerede brukt {at}, i {place}.",
        "expired": "Kupongen gikk ut {at}.",
        "early": "Kupongen gjelder først fra {at}.",
        "closed": "Kupongen er trukket tilbake.",
    },
    "sv": {
        "unknown": "Vi känner inte till den här kupongen. Titta på koden en gång till.",
        "misread": "Koden är felskriven: kontrolltecknet stämmer inte. Titta på den en gång till.",
        "redeemed": "Kupongen har redan använts {at}, i {place}.",
        "expired": "Kupongen gick ut {at}.",
        "early": "Kupongen gäller först från {at}.",
        "closed": "Kupongen har dragits tillbaka.",
    },
    "da": {
        "unknown": "Vi kender ikke denne kupon. Se på koden en gang til.",
        "misread": "Koden er skrevet forkert: kontroltegnet passer ikke. Se på den en gang til.",
        "redeemed": "Kuponen er allerede brugt {at}, i {place}.",
        "expired": "Kuponen udløb {at}.",
        "early": "Kuponen gælder først fra {at}.",
        "closed": "Kuponen er trukket tilbage.",
    },
    "fi": {
        "unknown": "Emme tunne tätä kuponkia. Katso koodia uudelleen.",
        "misread": "Koodi on kirjoitettu väärin: tarkistusmerkki ei täsmää. Katso sitä uudelleen.",
        "redeemed": "Kuponki on jo käytetty {at}, paikka: {place}.",
        "expired": "Kuponki vanheni {at}.",
        "early": "Kuponki on voimassa vasta {at} alkaen.",
        "closed": "Kuponki on vedetty pois.",
    },
    "en": {
        "unknown": "We do not know this coupon. Please look at the code once more.",
        "misread": "The code is misread: its check character does not fit. Please look at it once more.",
        "redeemed": "The coupon has already been used on {at}, at {place}.",
        "expired": "The coupon expired on {at}.",
        "early": "The coupon is valid from {at} only.",
        "closed": "The coupon has been withdrawn.",
    },
}


def sentence(
    word: str, language: str, zone: str, *, at: datetime | None = None, place: str = ""
) -> str:
    """Return what speaks against a coupon, with the moment as the clock on the wall shows it."""
    shown = f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if at else ""
    return TEXTS[language][word].format(at=shown, place=place)
