"""When the spool says no."""

from kantis_kit.errors import AppError, NotFound, Unavailable


class SpoolFull(Unavailable):
    """So many leads wait already that no more are taken."""

    slug, title = "spool-full", "Try again in a moment"


class AnotherLead(AppError):
    """The same key came with another lead."""

    slug, status, title = (
        "idempotency-mismatch",
        422,
        "This idempotency key was used for another request",
    )


class LeadUnknown(NotFound):
    """No such lead waits here."""

    slug, title = "lead-unknown", "There is no such lead"
