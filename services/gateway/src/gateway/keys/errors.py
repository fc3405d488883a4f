"""What can be wrong with keys."""

from kantis_kit.errors import Forbidden, NotFound, TooMany, Unauthenticated


class KeyNotFound(NotFound):
    """There is no such key."""

    slug, title = "key-not-found", "There is no such key"


class MoreThanYouHave(Forbidden):
    """A key was asked to give more than its caller has."""

    slug, title = "more-than-you-have", "A key cannot give more than it has itself"


class KeyRefused(Unauthenticated):
    """The key is unknown, revoked or expired; which of them is not told."""


class TooManyAttempts(TooMany):
    """Too many unknown keys came from one address."""

    slug, title = "too-many-attempts", "Too many unknown keys came from this address"
