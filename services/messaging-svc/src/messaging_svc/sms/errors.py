"""What can be refused about text messages."""

from kantis_kit.errors import Forbidden, Invalid, NotFound


class TextRefused(Invalid):
    """A text cannot be sent as it stands; `errors` says where and how to mend it."""

    slug, title = "text-refused", "The text cannot be sent as it stands"


class NotTheProvider(NotFound):
    """The address is not one that we gave to a provider."""

    slug, title = "not-found", "There is no such page"


class Unsigned(Forbidden):
    """The signature is missing, wrong, or too old."""

    slug, title = "signature-refused", "The signature does not hold"


class NotUnderstood(Invalid):
    """The body is none of what this provider sends."""

    slug, title = "not-understood", "This cannot be read"
