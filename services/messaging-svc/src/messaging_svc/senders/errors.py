"""What can be refused about checks of sender domains."""

from kantis_kit.errors import NotFound


class NeverChecked(NotFound):
    """Nobody has asked yet."""

    slug, title = "sender-never-checked", "This domain has not been checked yet"
