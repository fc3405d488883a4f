"""What deliveries refuse."""

from kantis_kit.errors import Conflict, NotFound


class DeliveryNotFound(NotFound):
    """No delivery has this id."""

    slug, title = "delivery-not-found", "There is no such delivery"


class DeliveryClosed(Conflict):
    """Nothing more is to come of it."""

    slug, title = "delivery-closed", "The delivery has come already"
