"""What goes wrong with an installation, said to the person at the keyboard."""

from kantis_kit.errors import KantisError


class InstallationError(KantisError):
    """The installation cannot be used; the sentence says how to mend it."""
