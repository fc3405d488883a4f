"""What can be refused about bounces."""

from kantis_kit.errors import AppError, Conflict, Invalid, NotFound


class BounceNotFound(NotFound):
    """No such bounce."""

    slug, title = "bounce-not-found", "There is no such bounce"


class BounceUndone(Conflict):
    """It was taken back before."""

    slug, title = "bounce-undone", "This bounce was taken back already"


class MailMissing(Invalid):
    """The form holds no mail."""

    slug, title = "mail-missing", "There is no mail in this request"


class MailOfOtherKind(AppError):
    """The body is no mail."""

    slug, status, title = "not-a-mail", 415, "Send the mail as it is: Content-Type message/rfc822"
