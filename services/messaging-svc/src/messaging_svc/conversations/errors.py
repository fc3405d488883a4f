"""What can be refused about conversations."""

from kantis_kit.errors import AppError, Conflict, Forbidden, Invalid, NotFound, TooMany


class ConversationNotFound(NotFound):
    """No such conversation."""

    slug, title = "conversation-not-found", "There is no such conversation"


class FileNotFound(NotFound):
    """No such attachment."""

    slug, title = "attachment-not-found", "There is no such attachment"


class ChatNotFound(NotFound):
    """The address is not one of a chat of ours, or the chat is over."""

    slug, title = "chat-not-found", "There is no such chat"


class HeldBySomebody(Conflict):
    """Somebody else has taken the conversation."""

    slug, title = "conversation-held", "Somebody else has this conversation"


class ConversationOver(Conflict):
    """The conversation was merged into another one."""

    slug, title = "conversation-merged", "This conversation goes on in another one"


class CannotAnswerHere(Conflict):
    """There is no way to reach them in this channel."""

    slug, title = "cannot-answer", "They cannot be answered in this way"


class CannotMerge(Conflict):
    """The two conversations are not one."""

    slug, title = "cannot-merge", "These conversations cannot become one"


class PersonNotKnown(NotFound):
    """We hold no card of this person, or it was erased."""

    slug, title = "person-not-found", "There is no such person"


class MailMissing(Invalid):
    """There is no mail in the request."""

    slug, title = "mail-missing", "There is no mail in the request"


class MailOfOtherKind(AppError):
    """The body is not a mail."""

    slug, status, title = "mail-kind", 415, "Send the mail as text or as a file"

    def __init__(self) -> None:
        super().__init__("Send it as message/rfc822, text/plain, or in a form")


class NoWayBack(Invalid):
    """They did not say how they can be reached."""

    slug, title = "no-way-back", "Say how we can reach you"


class TooManyMessages(TooMany):
    """A visitor writes more than a person does."""

    slug, title = "too-many-messages", "That was a lot at once; wait a little"


class TextForbidden(Forbidden):
    """What was sent came from a machine."""

    slug, title = "looks-like-a-machine", "This was not taken"


class TemplateNotFound(NotFound):
    """No such template of an answer."""

    slug, title = "answer-template-not-found", "There is no such template"


class TemplateNameTaken(Conflict):
    """Another template has this name."""

    slug, title = "answer-template-name", "Another template has this name"


class TemplateFlawed(Invalid):
    """A text of the template cannot be used."""

    slug, title = "answer-template-flawed", "This template cannot be used"
