"""What the desk refuses."""

from kantis_kit.errors import Conflict, NotFound


class BatchNotFound(NotFound):
    """No batch has this id."""

    slug, title = "batch-not-found", "There is no such batch"


class BatchClosed(Conflict):
    """Nothing more can be keyed in it."""

    slug, title = "batch-closed", "The batch is closed"


class BatchFull(Conflict):
    """As many pieces were keyed as were counted in."""

    slug, title = "batch-full", "More pieces than were counted in"


class BatchUnbalanced(Conflict):
    """The pieces that were counted in are not those that were keyed."""

    slug, title = "batch-unbalanced", "The batch does not balance"
