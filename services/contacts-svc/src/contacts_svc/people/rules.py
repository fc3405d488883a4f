"""Rules about names and addresses of people: what is normalised, and what is refused."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from contacts_svc.national import national_number_in, refuse_national_numbers
from kantis_contracts.values import Country, Language

MAX_EMAIL = 254
MAX_PHONE = 40


class IdentifierKind(StrEnum):
    """What identifies a person across sources."""

    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address or phone number, normalised, and as it was given."""

    kind: IdentifierKind
    value: str
    as_given: str

    @property
    def key(self) -> tuple[str, str]:
        """What is unique among all contacts."""
        return self.kind.value, self.value


class AddressInvalid(ValueError):
    """An address that cannot be used; the message says why."""


def normalise_email(given: str) -> Address:
    """Return the address in lower case with its domain normalised; no DNS is asked.

    Raises:
        AddressInvalid: it is not an e-mail address.
    """
    text = given.strip()
    if len(text) > MAX_EMAIL:
        message = f"an e-mail address has at most {MAX_EMAIL} signs, this has {len(text)}"
        raise AddressInvalid(message)
    try:
        # The domain .test is ours to use in demonstrations; no mail to it can leave.
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise AddressInvalid(str(error).rstrip(".")) from error
    return Address(IdentifierKind.EMAIL, found.normalized.lower(), text)


def normalise_phone(given: str, country: Country) -> Address:
    """Return the number as E.164; a number without a country code is read as one of `country`.

    Raises:
        AddressInvalid: no such number can exist.
    """
    text = given.strip()
    if len(text) > MAX_PHONE:
        message = f"a phone number has at most {MAX_PHONE} signs, this has {len(text)}"
        raise AddressInvalid(message)
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        message = f"this is not a phone number ({country} was assumed): {error}"
        raise AddressInvalid(message.rstrip(".")) from error
    if not phonenumbers.is_valid_number(number):
        message = f"no phone number of {country} looks like this; start with + and the country code"
        raise AddressInvalid(message)
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Address(IdentifierKind.PHONE, value, text)


def canonical(address: Address) -> str:
    """Return what counts as one mailbox when requests are counted: tags, and dots at Gmail, do not make it another."""
    if address.kind is IdentifierKind.PHONE:
        return address.value
    local, _, domain = address.value.rpartition("@")
    local = local.split("+", 1)[0]
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def address_hash(key: bytes, address: tuple[str, str]) -> bytes:
    """Return what stays of an erased address: enough to know it again, not enough to read it."""
    return hashlib.blake2b(":".join(address).encode(), key=key[:64], digest_size=32).digest()


_LANGUAGE_OF = {"NO": Language.NB, "SE": Language.SV, "DK": Language.DA, "FI": Language.FI}
_ZONE_OF = {
    "NO": "Europe/Oslo",
    "SE": "Europe/Stockholm",
    "DK": "Europe/Copenhagen",
    "FI": "Europe/Helsinki",
    "IS": "Atlantic/Reykjavik",
}


def language_of(country: str) -> Language:
    """Return the language to start with for a country."""
    return _LANGUAGE_OF.get(country, Language.EN)


def zone_of(country: str) -> str:
    """Return the time zone to start with for a country."""
    return _ZONE_OF.get(country, "UTC")


__all__ = [
    "Address",
    "AddressInvalid",
    "IdentifierKind",
    "address_hash",
    "canonical",
    "language_of",
    "national_number_in",
    "normalise_email",
    "normalise_phone",
    "refuse_national_numbers",
    "zone_of",
]
