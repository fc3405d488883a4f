"""What can be refused about hours."""

from kantis_kit.errors import NotFound


class HoursNotFound(NotFound):
    """The company has set none."""

    slug, title = "hours-not-found", "The company has set no such hours"
