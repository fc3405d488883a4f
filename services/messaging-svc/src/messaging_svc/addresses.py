"""Mail addresses: what we send to, and the hash under which an address is remembered after it is forgotten."""

import hashlib
import re
from functools import lru_cache

_MAX_ADDRESS = 254
_MAX_LOCAL = 64
# Deliberately narrower than RFC 5321: no quoted local parts, no literals, nothing that could end an SMTP line.
_ADDRESS = re.compile(r"[^\s<>@\"(),:;\[\]\\\x00-\x1f\x7f]+@[^\s<>@\"(),:;\[\]\\\x00-\x1f\x7f]+")


def normalise(address: str) -> str:
    """Return the form in which two spellings of one mailbox are compared."""
    return address.strip().casefold()


def address_hash(address: str) -> bytes:
    """Return the hash under which an address is suppressed; it is kept when the address itself is erased."""
    return hashlib.blake2b(
        normalise(address).encode(), digest_size=20, person=b"kantis address"
    ).digest()


def phone_hash(phone: str) -> bytes:
    """Return the hash under which a phone number is known; numbers come in E.164."""
    return hashlib.blake2b(phone.strip().encode(), digest_size=20, person=b"kantis phone").digest()


def wire_address(address: str) -> str | None:
    """Return the address as SMTP commands carry it, or None when mail cannot be sent there.

    The domain is put into its ASCII form; a local part outside ASCII stays and needs SMTPUTF8.
    """
    if not _ADDRESS.fullmatch(address) or len(address) > _MAX_ADDRESS:
        return None
    local, _, domain = address.rpartition("@")
    if len(local) > _MAX_LOCAL or local.startswith(".") or local.endswith(".") or ".." in local:
        return None
    on_the_wire = _ascii_domain(domain)
    return f"{local}@{on_the_wire}" if on_the_wire else None


@lru_cache(maxsize=4_096)
def _ascii_domain(domain: str) -> str | None:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
