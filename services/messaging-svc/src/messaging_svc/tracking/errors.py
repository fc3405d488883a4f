"""What can be refused about suppressions."""

from kantis_kit.errors import NotFound


class SuppressionNotFound(NotFound):
    """The address is not on the list."""

    slug, title = "suppression-not-found", "There is no such suppression"
