"""The short way to an address in which nothing is unusual; whatever is, goes the long way in `rules`.

Says nothing that the long way would not say, and refuses nothing: a test compares the two. Most addresses are plain, and
the long way costs ten times as much.
"""

import re
from typing import Final

from phonenumbers import PhoneMetadata

from contacts_svc.people.rules import (
    MAX_EMAIL,
    MAX_PHONE,
    Address,
    AddressInvalid,
    IdentifierKind,
    normalise_email,
)

_EMAIL = re.compile(r"([A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*)@([A-Za-z0-9.-]+)")
_MAX_LOCAL = 64
_MAX_DOMAINS = 20_000
_PHONE = re.compile(r"\+?[0-9][0-9 ]*")
_domains: dict[str, str] = {}
"""Domains as they are kept, by how they were written; empty for those that need the long way."""


def read_email(text: str) -> Address | None:
    """Return a plain address as `normalise_email` does; None when it is not plain."""
    value = plain_email(text)
    return Address(IdentifierKind.EMAIL, value, text) if value else None


def plain_email(text: str) -> str:
    """Return a plain address as it is kept; empty when it is not plain."""
    found = _EMAIL.fullmatch(text)
    if found is None or len(text) > MAX_EMAIL:
        return ""
    local, domain = found.groups()
    kept = _domains.get(domain)
    if kept is None:
        kept = _read_domain(domain)
    if not kept or len(local) > _MAX_LOCAL:
        return ""
    return f"{local.lower()}@{kept}"


def _read_domain(domain: str) -> str:
    try:
        kept = normalise_email(f"a@{domain}").value.removeprefix("a@")
    except AddressInvalid:
        kept = ""
    if len(_domains) >= _MAX_DOMAINS:
        _domains.clear()
    _domains[domain] = kept
    return kept


class _Numbers:
    """Which numbers a country has, and how they are written at home."""

    def __init__(self, region: str, *, trunk: str) -> None:
        metadata = PhoneMetadata.metadata_for_region(region)
        assert metadata is not None  # noqa: S101 - the library knows the Nordic countries
        general = metadata.general_desc
        assert general is not None  # noqa: S101 - as above
        kinds = (
            metadata.fixed_line,
            metadata.mobile,
            metadata.toll_free,
            metadata.premium_rate,
            metadata.shared_cost,
            metadata.personal_number,
            metadata.voip,
            metadata.pager,
            metadata.uan,
        )
        patterns = [kind.national_number_pattern for kind in kinds if kind is not None]
        self.trunk = trunk
        self.code = f"+{metadata.country_code}"
        self.lengths: Final = frozenset(general.possible_length)
        kinds_or = "|".join(f"(?:{one})" for one in patterns if one)
        leading, every = metadata.leading_digits or "", general.national_number_pattern or ""
        self._form = re.compile(rf"(?={leading})(?=(?:{every})\Z)(?:{kinds_or})")

    def has(self, number: str) -> bool:
        """Say whether this is surely a number of the country."""
        return len(number) in self.lengths and self._form.fullmatch(number) is not None


_NUMBERS = {
    region: _Numbers(region, trunk=trunk)
    for region, trunk in (("NO", ""), ("SE", "0"), ("DK", ""), ("FI", "0"), ("IS", ""))
}


def read_phone(text: str, country: str) -> Address | None:
    """Return a plain number as `normalise_phone` does; None when it is not plain."""
    value = plain_phone(text, country)
    return Address(IdentifierKind.PHONE, value, text) if value else None


def plain_phone(text: str, country: str) -> str:
    """Return a plain number as it is kept; empty when it is not plain."""
    if len(text) > MAX_PHONE or not _PHONE.fullmatch(text):
        return ""
    digits = text.replace(" ", "")
    numbers = _NUMBERS.get(country)
    if digits[0] == "+":
        numbers = next((one for one in _NUMBERS.values() if digits.startswith(one.code)), None)
        digits = digits[len(numbers.code) :] if numbers else ""
    elif numbers is not None and numbers.trunk:
        digits = digits[1:] if digits[0] == numbers.trunk else ""
    if numbers is None or not digits or digits[0] == "0" or not numbers.has(digits):
        return ""
    return f"{numbers.code}{digits}"


__all__ = ["plain_email", "plain_phone", "read_email", "read_phone"]
