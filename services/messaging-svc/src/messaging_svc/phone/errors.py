"""What can be refused about calls."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class CallNotFound(NotFound):
    """No such call."""

    slug, title = "call-not-found", "There is no such call"


class CallTaken(Conflict):
    """Somebody else has taken the call since, or it has ended."""

    slug, title = "call-not-yours", "This call is not yours any more"


class OutcomeInvalid(Invalid):
    """The outcome of a call cannot be taken as it is."""

    slug, title = "invalid-call-outcome", "This outcome cannot be recorded"


class OutcomeNotFound(NotFound):
    """No such word for the end of a call."""

    slug, title = "call-outcome-not-found", "There is no such outcome"


class OutcomeFixed(Conflict):
    """The words that come with the product mean the same everywhere."""

    slug, title = "call-outcome-fixed", "This outcome cannot be changed"


class BatchNotFound(NotFound):
    """No such list."""

    slug, title = "call-batch-not-found", "There is no such list of calls"


class NobodyToCall(Conflict):
    """A list with nobody on it is not made."""

    slug, title = "nobody-to-call", "There is nobody to call now"


class FileUnreadable(Invalid):
    """The file of outcomes cannot be read at all."""

    slug, title = "call-file-unreadable", "This file of outcomes cannot be read"
