"""Postal addresses of the five countries: read once into one spelling, and kept as they were given beside it.

Source: the project's facts of law and formats, section 8.1; which codes belong to the large towns is general knowledge,
so a town and a code that disagree are a warning, never a refusal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_CODES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "NO": (re.compile(r"\d{4}", re.ASCII), "four digits, such as 0155"),
    "DK": (re.compile(r"\d{4}", re.ASCII), "four digits, such as 2100"),
    "SE": (re.compile(r"\d{5}", re.ASCII), "five digits, such as 114 55"),
    "FI": (re.compile(r"\d{5}", re.ASCII), "five digits, such as 00100"),
    "IS": (re.compile(r"\d{3}", re.ASCII), "three digits, such as 101"),
}
_PREFIX = re.compile(r"^(?:NO|N|SE|S|DK|FI|FIN|IS)[- ](?=\d)", re.IGNORECASE)
_CODE_IN_CITY = re.compile(r"(?P<code>\d{3,5}|\d{3} \d{2}) (?P<city>\D.*)", re.ASCII)
_CARE_OF = re.compile(r"^c[/.]?\s?o\.?\s+(?P<who>[^,\n]+)[,\n]\s*(?P<rest>.+)$", re.IGNORECASE)
_BOX = re.compile(
    r"^(?:post ?boks|postbox|p\.?o\.? ?box|box|boks|pb|pl|pósthólf)\.? ?(?P<number>\d{1,6})$",
    re.IGNORECASE,
)
_BOX_WORD: Mapping[str, str] = {"SE": "Box", "FI": "PL", "IS": "Pósthólf"}
_HOUSE_LETTER = re.compile(r"(?<=\s)(?P<number>\d{1,4}) ?(?P<letter>[A-Za-zÆØÅæøå])(?=$|,)")
_FLOOR = re.compile(
    r"[ ,]+(?P<floor>\d{1,2}|st|kl)\.? ?(?:sal)?[ ,]*(?P<door>tv|th|mf|\d{1,2})\.?$", re.IGNORECASE
)
_FLAT = re.compile(r"[ ,]+(?:lgh|lägenhet)\.? ?(?P<flat>\d{4})$", re.IGNORECASE)
_STAIR = re.compile(
    r"(?<=\s)(?P<number>\d{1,4}) ?(?P<stair>[A-Za-z])[ .]+(?:as\.? ?)?(?P<flat>\d{1,3})$"
)
_TOWNS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "NO": {
        "oslo": ("0", "10", "11", "12"),
        "bergen": ("50", "51", "52", "53"),
        "trondheim": ("70",),
        "stavanger": ("40",),
        "kristiansand": ("46",),
        "tromsø": ("90",),
        "bodø": ("80",),
    },
    "SE": {
        "stockholm": ("10", "11", "12"),
        "göteborg": ("40", "41", "42"),
        "malmö": ("20", "21", "23"),
        "uppsala": ("75",),
    },
    "DK": {
        "københavn": ("0", "1", "2"),
        "aarhus": ("80", "82"),
        "odense": ("50", "52"),
        "aalborg": ("90", "91", "92"),
    },
    "FI": {
        "helsinki": ("00",),
        "helsingfors": ("00",),
        "espoo": ("02",),
        "esbo": ("02",),
        "tampere": ("33",),
        "tammerfors": ("33",),
        "turku": ("20",),
        "åbo": ("20",),
        "oulu": ("90",),
        "uleåborg": ("90",),
    },
    "IS": {"reykjavík": ("1",), "reykjavik": ("1",), "akureyri": ("60",)},
}


class PostalInvalid(ValueError):
    """An address that post cannot go to; the message says why, `field` which part of it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Post:
    """Where post goes, in its one spelling; `warnings` tell what looks wrong and may be right."""

    care_of: str
    street: str
    postal_code: str
    city: str
    country: str
    warnings: tuple[str, ...] = ()

    def is_empty(self) -> bool:
        """Say whether there is nothing to send anything to."""
        return not (self.street or self.postal_code or self.city)


def read_post(*, street: str, postal_code: str, city: str, country: str, care_of: str = "") -> Post:
    """Return an address in one spelling.

    Raises:
        PostalInvalid: the code is none of the country.
    """
    street, city, care_of = (" ".join(one.split()) for one in (street, city, care_of))
    code = " ".join(postal_code.split())
    inside = _CARE_OF.match(street)
    if inside and not care_of:
        care_of, street = inside["who"].strip(), inside["rest"].strip()
    care_of = re.sub(r"^c[/.]?o\.?\s+", "", care_of, flags=re.IGNORECASE)
    glued = _CODE_IN_CITY.fullmatch(_PREFIX.sub("", city))
    if glued and not code:
        code, city = glued["code"], glued["city"].strip()
    code = _read_code(code, country)
    return Post(
        care_of,
        _read_street(street, country),
        code,
        city,
        country,
        tuple(_warnings(code, city, country)),
    )


def _read_code(given: str, country: str) -> str:
    if country not in _CODES or not given:
        return given.upper()
    pattern, words = _CODES[country]
    code = _PREFIX.sub("", given).replace(" ", "")
    if not pattern.fullmatch(code):
        hint = "; a zero at its start may have been lost" if country in ("NO", "FI") else ""
        message = f"a postal code of {country} has {words}{hint}"
        raise PostalInvalid("postal_code", message)
    if not code.strip("0"):
        message = f"{code} is no postal code; leave it out when it is not known"
        raise PostalInvalid("postal_code", message)
    return f"{code[:3]} {code[3:]}" if country == "SE" else code


def _read_street(street: str, country: str) -> str:
    box = _BOX.match(street)
    if box:
        return f"{_BOX_WORD.get(country, 'Postboks')} {box['number']}"
    if country == "DK":
        street = _FLOOR.sub(
            lambda found: f", {found['floor'].lower()}. {found['door'].lower()}", street
        )
    if country == "SE":
        street = _FLAT.sub(lambda found: f" lgh {found['flat']}", street)
    if country == "FI":
        street = _STAIR.sub(
            lambda found: f"{found['number']} {found['stair'].upper()} {found['flat']}", street
        )
    return _HOUSE_LETTER.sub(lambda found: f"{found['number']} {found['letter'].upper()}", street)


def _warnings(code: str, city: str, country: str) -> list[str]:
    town = city.casefold().split(" ")[0]
    begins = _TOWNS.get(country, {}).get(town)
    said = []
    if code and begins and not code.startswith(begins):
        said.append(f"{code} is no postal code of {city}, as far as is known")
    if code and not city:
        said.append("the place is missing")
    if city and not code and country in _CODES:
        said.append("the postal code is missing")
    return said
