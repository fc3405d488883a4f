"""When the spool says no."""

from kantis_kit.errors import NotFound, Unavailable


class SpoolFull(Unavailable):
    """So many leads wait already that no more are taken."""

    slug, title = "spool-full", "Try again in a moment"


class LeadUnknown(NotFound):
    """No such lead waits here."""

    slug, title = "lead-unknown", "There is no such lead"
