"""Roles and the scopes that each gives."""

from enum import StrEnum

_SERVICES = ("contacts", "campaign", "orders", "messaging", "analytics")
_READ_ALL = frozenset(f"{service}:read" for service in _SERVICES)


class Role(StrEnum):
    """What a key may be."""

    ADMINISTRATOR = "administrator"
    MARKETER = "marketer"
    FULFILMENT = "fulfilment"
    BOOKKEEPER = "bookkeeper"
    DEVELOPER = "developer"
    SITE = "site"
    TILL = "till"
    VIEWER = "viewer"


SCOPES: dict[Role, frozenset[str]] = {
    Role.ADMINISTRATOR: frozenset({"*"}),
    Role.MARKETER: _READ_ALL
    | {"contacts:write", "campaign:write", "campaign:redeem", "messaging:write"},
    Role.FULFILMENT: frozenset({"orders:read", "orders:write", "contacts:read", "messaging:read"}),
    # Whoever keeps the books may look at whom they name, which not even who answers orders may.
    Role.BOOKKEEPER: frozenset({"orders:read", "books:read"}),
    Role.DEVELOPER: _READ_ALL | {"operations:read"},
    Role.SITE: frozenset({"forms:read", "forms:submit"}),
    # Who stands at a till learns of a coupon whether it is good, and nothing else.
    Role.TILL: frozenset({"campaign:redeem"}),
    Role.VIEWER: _READ_ALL,
}


def scopes_of(role: str) -> frozenset[str]:
    """Return the scopes of a role; a role that this version does not know gives none."""
    try:
        return SCOPES[Role(role)]
    except ValueError:
        return frozenset()
