"""What the gateway itself refuses, before any service sees it."""

from kantis_kit.errors import AppError, NotFound


class BadRequest(AppError):
    """The request is not well formed."""

    slug, status, title = "bad-request", 400, "The request cannot be read"


class MethodRefused(AppError):
    """The method is not one of ours."""

    slug, status, title = "method-not-allowed", 405, "This address does not know that method"


class BodyTooLarge(AppError):
    """The body exceeds what this address takes."""

    slug, status, title = "too-large", 413, "The body is too large"


class AddressTooLong(AppError):
    """Path or query exceed what we take."""

    slug, status, title = "address-too-long", 414, "The address is too long"


class WrongHost(AppError):
    """The Host header names somebody else."""

    slug, status, title = "wrong-host", 421, "This host is not served here"


class HeadersTooLarge(AppError):
    """There are too many headers, or they are too large."""

    slug, status, title = "headers-too-large", 431, "The headers are too large"


class NoSuchAddress(NotFound):
    """No service answers this path."""
