"""What the restricted books refuse."""

from kantis_kit.errors import NotFound


class NothingRestricted(NotFound):
    """No invoice of this id has a recipient that is kept apart."""

    slug, title = "nothing-restricted", "No recipient is kept apart for this invoice"
