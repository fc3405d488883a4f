"""How names, telephones, mailboxes and addresses are spelt so that the same ones are the same."""

import unicodedata

from kantis_contracts.values import PostalAddress

_PREFIXES = ("47", "46", "45", "358")
_DOTLESS = {"gmail.com", "googlemail.com"}
"""Mail systems that read full stops in a mailbox's name as nothing."""


def name_key(name: str) -> str:
    """Return a name in small letters, its parts in their order, with one space between."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def digits(phone: str) -> str:
    """Return a telephone's digits, without what stands for dialling abroad."""
    return "".join(one for one in phone if one.isdecimal()).removeprefix("00")


def phones(asked: str) -> list[str]:
    """Return what a telephone may be in full: as it was said, and as one of each Nordic country."""
    said = digits(asked)
    if not said:
        return []
    return [said, *(prefix + said.removeprefix("0") for prefix in _PREFIXES)]


def mailbox(email: str) -> str:
    """Return the mailbox behind an address: without what is added after a plus sign."""
    local, at, domain = email.strip().casefold().rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}{at}{domain}"


def household(address: PostalAddress | None) -> str:
    """Return street and postal code in one spelling; nothing without both."""
    if address is None or not address.street or not address.postal_code:
        return ""
    plain = f"{address.country} {address.postal_code} {address.street}".casefold()
    return "".join(one for one in plain if one.isalnum())


__all__ = ["digits", "household", "mailbox", "name_key", "phones"]
