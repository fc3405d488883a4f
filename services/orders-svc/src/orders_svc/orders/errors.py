"""What orders refuse."""

from kantis_kit.errors import Conflict, NotFound


class OrderNotFound(NotFound):
    """No order has this id."""

    slug, title = "order-not-found", "There is no such order"


class WrongState(Conflict):
    """The order is not where this step begins."""

    slug, title = "order-state", "The order is past that, or not there yet"


class NoSubstitute(Conflict):
    """It is not declared as what may be sent instead."""

    slug, title = "no-substitute", "This may not be sent instead"


class ExternalIdReused(Conflict):
    """The shop's id came before with another order."""

    slug, title = "order-external-id-reused", "This id belongs to another order"
