"""What can be refused about messages."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class MessageNotFound(NotFound):
    """No such message."""

    slug, title = "message-not-found", "There is no such message"


class LaunchNotFound(NotFound):
    """Nothing of such a launch is here (yet)."""

    slug, title = "launch-not-found", "There is no such launch"


class NotALog(Invalid):
    """What was sent holds no line of Postfix's."""

    slug, title = "not-a-log", "This is no log of Postfix"


class NotInDoubt(Conflict):
    """Only a message in doubt is resolved by a person."""

    slug, title = "not-in-doubt", "This message is not in doubt"
