"""What the response desk refuses."""

from kantis_kit.errors import Conflict, NotFound


class ResponseNotFound(NotFound):
    """No response has this id."""

    slug, title = "response-not-found", "There is no such response"


class CodeUnknown(NotFound):
    """No piece carries this code."""

    slug, title = "code-unknown", "This code is not known"


class AlreadyAnswered(Conflict):
    """The response needs nothing more, or something else than this."""

    slug, title = "response-state", "The response does not wait for that"
