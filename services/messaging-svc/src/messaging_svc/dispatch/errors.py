"""What can be refused about messages."""

from kantis_kit.errors import Conflict, NotFound


class MessageNotFound(NotFound):
    """No such message."""

    slug, title = "message-not-found", "There is no such message"


class NotInDoubt(Conflict):
    """Only a message in doubt is resolved by a person."""

    slug, title = "not-in-doubt", "This message is not in doubt"
