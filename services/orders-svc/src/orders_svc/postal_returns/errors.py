"""What returns of post refuse."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class PostNotFound(NotFound):
    """No piece that came back has this id."""

    slug, title = "postal-return-not-found", "There is no such piece"


class Misread(Invalid):
    """The control digit of the number is wrong: the scanner has misread it, or a finger slipped."""

    slug, title = "code-misread", "The number was misread"


class MappingNotFound(NotFound):
    """Nobody has declared how such a file is read."""

    slug, title = "mapping-not-found", "There is no such mapping"


class FileUnreadable(Invalid):
    """The file is not as its mapping says."""

    slug, title = "file-unreadable", "The file cannot be read"


class OtherReason(Conflict):
    """The piece came back before, for another reason."""

    slug, title = "noted-otherwise", "This piece was noted with another reason"
