"""What orders refuse."""

from kantis_kit.errors import Conflict, NotFound


class OrderNotFound(NotFound):
    """No order has this id."""

    slug, title = "order-not-found", "There is no such order"


class WrongState(Conflict):
    """The order is not where this step begins."""

    slug, title = "order-state", "The order is past that, or not there yet"
