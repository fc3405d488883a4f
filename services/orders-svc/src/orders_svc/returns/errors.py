"""What returns refuse."""

from kantis_kit.errors import Conflict, NotFound


class ReturnNotFound(NotFound):
    """No return has this id, or no order or parcel this number."""

    slug, title = "return-not-found", "There is no such return"


class ReturnSettled(Conflict):
    """The return was received or cancelled before."""

    slug, title = "return-settled", "This return is settled"


class NotBought(Conflict):
    """The customer has not got this, or not that many of it; `kept` says how many, by sku."""

    slug, title = "not-bought", "The customer has not got that"


class TooLate(Conflict):
    """The right of withdrawal has ended; `deadline_on` was its last day."""

    slug, title = "withdrawal-ended", "It is too late to withdraw"


class UnknownGoods(NotFound):
    """No product has the code that was scanned."""

    slug, title = "unknown-product-code", "No product has this code"
