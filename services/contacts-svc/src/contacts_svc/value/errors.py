"""Refusals about value and lifecycle."""

from kantis_kit.errors import Invalid, NotFound


class PinInvalid(Invalid):
    """A lifecycle is pinned until a moment that lies ahead."""

    slug, title = "invalid-lifecycle-pin", "The lifecycle cannot be pinned like this"


class PinUnknown(NotFound):
    """Nothing is pinned."""

    slug, title = "lifecycle-not-pinned", "The lifecycle of this contact is not pinned"
