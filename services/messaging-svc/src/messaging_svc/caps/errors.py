"""What can be refused about caps."""

from kantis_kit.errors import Conflict, NotFound


class CapNotFound(NotFound):
    """No such cap."""

    slug, title = "cap-not-found", "There is no such cap"


class CapExists(Conflict):
    """One cap speaks of one thing."""

    slug, title = "cap-exists", "There is such a cap already"
