"""Addresses as their owners recognise them and strangers do not learn them."""

_SHOWN_DIGITS = 2


def masked(address: str | None) -> str:
    """Return an e-mail address with the first letter of its local part alone, a phone with its last digits alone."""
    if not address:
        return ""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}•••@{domain}"
    return f"•••{address[-_SHOWN_DIGITS:]}"
