"""What can be refused about messages that came in."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class InboundNotFound(NotFound):
    """No such message."""

    slug, title = "inbound-not-found", "There is no such message"


class KeywordNotFound(NotFound):
    """No such keyword."""

    slug, title = "keyword-not-found", "There is no such keyword"


class KeywordTaken(Conflict):
    """The word is in use, or has a meaning of its own."""

    slug, title = "keyword-taken", "This word cannot be used"


class KeywordInvalid(Invalid):
    """The keyword says nothing, or contradicts itself."""

    slug, title = "keyword-invalid", "This keyword cannot be used"
