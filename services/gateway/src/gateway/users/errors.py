"""What can be wrong with users and their signing in."""

from kantis_kit.errors import Conflict, Invalid, NotFound, TooMany, Unauthenticated


class UserNotFound(NotFound):
    """There is no such user."""

    slug, title = "user-not-found", "There is no such user"


class AddressTaken(Conflict):
    """Another user signs in with this address."""

    slug, title = "address-taken", "Another user has this e-mail address"


class LastAdministrator(Conflict):
    """Nobody would be left who may add users."""

    slug, title = "last-administrator", "The last administrator stays one"


class SignInRefused(Unauthenticated):
    """The account is unknown, disabled, or the password is another; which of them is not told."""

    slug, title = "sign-in-refused", "E-mail address and password do not fit together"


class SignInTooFast(TooMany):
    """Too many tries for one account or from one address."""

    slug, title = "sign-in-too-fast", "Too many tries to sign in"


class LinkRefused(NotFound):
    """The one-time link is unknown, used or expired; which of them is not told."""

    slug, title = "link-refused", "This link is not good any more"


class PasswordRefused(Invalid):
    """The password is too easy to guess."""

    slug, title = "password-refused", "This password is too easy to guess"
