"""What waves refuse."""

from kantis_kit.errors import Conflict, NotFound


class WaveNotFound(NotFound):
    """No wave has this id, or it has no such line."""

    slug, title = "wave-not-found", "There is no such wave or line"


class NothingToPick(Conflict):
    """No order waits to be picked."""

    slug, title = "nothing-to-pick", "No order waits to be picked"


class UnknownProduct(NotFound):
    """No product has the code that was scanned."""

    slug, title = "unknown-product-code", "No product has this code"


class WrongProduct(Conflict):
    """Another product was scanned than the line wants."""

    slug, title = "wrong-product", "That is another product"


class WrongQuantity(Conflict):
    """More was taken than ordered, or less without saying that there is too little."""

    slug, title = "wrong-quantity", "That is not how many are wanted"


class LineSettled(Conflict):
    """The line is picked already, or is not to be picked any more."""

    slug, title = "line-settled", "There is nothing to pick on this line any more"


class LineTaken(Conflict):
    """Somebody else is on the way to this line."""

    slug, title = "line-taken", "Somebody else picks this line"


class WaveClosed(Conflict):
    """Nothing of the wave is to be picked any more."""

    slug, title = "wave-closed", "The wave is closed"


class StillPicked(Conflict):
    """A wave has not come to the end with this order."""

    slug, title = "still-being-picked", "The order is still being picked"
