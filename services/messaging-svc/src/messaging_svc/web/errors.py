"""What can be refused about places and what they show."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class PlaceNotFound(NotFound):
    """No such place."""

    slug, title = "web-place-not-found", "There is no such place"


class ContentNotFound(NotFound):
    """Nothing like it is shown at the place."""

    slug, title = "web-content-not-found", "There is no such content"


class ContentInvalid(Invalid):
    """What shall be shown cannot be shown."""

    slug, title = "invalid-web-content", "This cannot be shown on a page"


class TooManyContents(Conflict):
    """A place is looked up with each page: it stays small."""

    slug, title = "too-many-web-contents", "The place shows too many things"


class EvidenceInvalid(Invalid):
    """What a page reports is not about anything that it was given."""

    slug, title = "invalid-web-evidence", "This report cannot be taken"
