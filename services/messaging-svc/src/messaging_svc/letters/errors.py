"""What can be refused about letters."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class BatchNotFound(NotFound):
    """No such batch."""

    slug, title = "letter-batch-not-found", "There is no such batch of letters"


class LetterNotFound(NotFound):
    """No such letter in a batch."""

    slug, title = "letter-not-found", "There is no such letter"


class NoWindow(Invalid):
    """We do not know where the address stands behind that country's windows."""

    slug, title = "no-window", "The place of the address window is not known for this country"


class BatchBusy(Conflict):
    """The batch is not in a state in which this can be done."""

    slug, title = "letter-batch-state", "The batch is not in a state in which this can be done"


class FilesGone(Conflict):
    """The files of the batch are not there (yet, or any more)."""

    slug, title = "letter-files-gone", "The files of this batch are not there"


class LettersOverturned(Conflict):
    """Since the batch was printed, letters in it are not allowed any more, or their address has changed."""

    slug, title = "letters-overturned", "Letters in this batch must not be sent as they are printed"
