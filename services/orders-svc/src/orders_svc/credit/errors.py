"""What credit refuses."""

from kantis_kit.errors import Conflict, NotFound


class CustomerUnknown(NotFound):
    """Nobody has this id here."""

    slug, title = "person-unknown", "There is no such person here"


class NotHeld(Conflict):
    """The order does not wait for a release."""

    slug, title = "order-not-held", "This order is not held"


class OrderHeld(Conflict):
    """The order is above its customer's credit limit."""

    slug, title = "order-held", "This order is held: it is above the customer's limit"
