"""A register such as a Nordic mail-order house has it.

Thousands of people, æøåäö, several ways to write a phone number, and some rows that are simply wrong.

The same seed gives the same register, so that a second run of the demonstration meets the same people.
"""

import csv
import io
import random
import unicodedata
from dataclasses import dataclass

from kantis.demo.names import COUNTRIES, Country

SEED = 1814
COLUMNS = (
    "fornavn",
    "etternavn",
    "kallenavn",
    "epost",
    "mobil",
    "gate",
    "postnr",
    "poststed",
    "land",
    "språk",
    "permission.email.newsletter",
    "permission.email.offers",
)
BAD_SHARE = 0.008
PERMISSION_SHARE = 0.62
MAIL_SHARE, PHONE_SHARE = 0.93, 0.7
CALLED_SHARE, SECOND_NAME_SHARE = 0.8, 0.25
LONG_NAME = 5
"""Longer given names are sometimes called by their first letters."""
E164_UNTIL, SPACED_UNTIL = 0.4, 0.7
"""Which share of the phone numbers is written in one piece, and up to which share with spaces."""
NO_ADDRESS, AT_IN_WORDS, SHORT_NUMBER = range(3)

_FOLD = str.maketrans(
    {"æ": "ae", "ø": "o", "å": "a", "ä": "a", "ö": "o", "é": "e", " ": ".", "-": "."}
)


@dataclass(frozen=True, slots=True)
class Register:
    """The file as text, and what a person who wrote it knows about it."""

    text: str
    rows: int
    bad_rows: int
    permissions: int


def _ascii(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name.lower()).translate(_FOLD)
    return "".join(c for c in folded if c.isascii() and (c.isalnum() or c == "."))


def _phone(rng: random.Random, country: Country) -> str:
    prefix = rng.choice(country.mobile)
    digits = prefix + "".join(
        rng.choice("0123456789") for _ in range(country.mobile_digits - len(prefix))
    )
    style = rng.random()
    if style < E164_UNTIL:
        return f"{country.dialling}{digits}"
    if style < SPACED_UNTIL:
        groups = " ".join(digits[i : i + 2] for i in range(0, len(digits), 2))
        return f"{country.dialling} {groups}"
    national = digits if country.code in ("NO", "DK") else f"0{digits}"
    return f"{national[:3]} {national[3:6]} {national[6:]}"


def _spoil(rng: random.Random, row: list[str]) -> list[str]:
    """Return the row as somebody in a hurry would have typed it."""
    kind = rng.randrange(4)
    if kind == NO_ADDRESS:
        row[3], row[4] = "", ""  # nobody can be reached
    elif kind == AT_IN_WORDS:
        row[3], row[4] = row[3].replace("@", " at "), ""
    elif kind == SHORT_NUMBER:
        row[3], row[4] = "", "12345"
    else:
        row[3], row[4] = "ukjent", ""
    return row


def generate(people: int, *, seed: int = SEED) -> Register:
    """Return a register of so many rows."""
    rng = random.Random(seed)  # noqa: S311 - invented people, no secret
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    weights = [country.share for country in COUNTRIES]
    bad = permissions = 0
    for number in range(1, people + 1):
        country = rng.choices(COUNTRIES, weights)[0]
        given, family = rng.choice(country.given), rng.choice(country.family)
        called = (
            rng.choice((given, given, given[:3] if len(given) > LONG_NAME else given, ""))
            if rng.random() < CALLED_SHARE
            else ""
        )
        second = f" {rng.choice(country.given)}" if rng.random() < SECOND_NAME_SHARE else ""
        mail = (
            f"{_ascii(given)}.{_ascii(family)}.{number}@{_ascii(rng.choice(country.mail_domains))}"
        )
        has_mail, has_phone = rng.random() < MAIL_SHARE, rng.random() < PHONE_SHARE
        postal_code, city = rng.choice(country.places)
        street = f"{rng.choice(country.streets)} {rng.randrange(1, 140)}{rng.choice(('', '', '', ' B', ' C'))}"
        permitted = has_mail and rng.random() < PERMISSION_SHARE
        row = [
            f"{given}{second}",
            family,
            called,
            mail if has_mail else "",
            _phone(rng, country) if has_phone or not has_mail else "",
            street,
            postal_code,
            city,
            country.code,
            country.language,
            *(["ja", "ja"] if permitted else ["", ""]),
        ]
        if rng.random() < BAD_SHARE:
            row, bad, permitted = _spoil(rng, row), bad + 1, False
        permissions += permitted
        writer.writerow(row)
    return Register(text=out.getvalue(), rows=people, bad_rows=bad, permissions=permissions)
