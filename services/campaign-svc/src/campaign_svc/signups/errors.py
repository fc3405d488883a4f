"""What can be refused about sign-ups."""

from kantis_kit.errors import AppError, NotFound


class InvitationUnknown(NotFound):
    """The link is forged or too old, or what it was about is no longer in the programme."""

    slug, title = "invitation-unknown", "The link is not valid, or too old"


class EventOver(AppError):
    """Nobody comes to what has been."""

    slug, title, status = "event-over", "The event is over", 410
