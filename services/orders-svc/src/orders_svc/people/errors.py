"""What is refused about people."""

from kantis_kit.errors import NotFound


class PersonUnknown(NotFound):
    """We hold no card of this person, or it was erased."""

    slug, title = "person-not-found", "There is no such person"
