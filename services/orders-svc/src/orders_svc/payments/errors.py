"""What payments refuse."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class PaymentNotFound(NotFound):
    """No payment has this id."""

    slug, title = "payment-not-found", "There is no such payment"


class PaymentFileNotFound(NotFound):
    """No payment file has this id."""

    slug, title = "payment-file-not-found", "There is no such payment file"


class ExternalIdReused(Conflict):
    """The bank's id of a payment came again with other content."""

    slug, title = "external-id-reused", "This payment came before, with another content"


class AlreadyMatched(Conflict):
    """The payment is booked on an invoice."""

    slug, title = "already-matched", "This payment is booked already"


class OtherCurrency(Conflict):
    """The payment's currency is not the invoice's."""

    slug, title = "other-currency", "The invoice is in another currency"


class NotReversible(Conflict):
    """The payment cannot be taken back, or not by this one."""

    slug, title = "payment-not-reversible", "This payment cannot be taken back"


class FileRefused(Invalid):
    """The file of payments cannot be read; nothing of it was booked."""

    slug, title = "payment-file-refused", "This file of payments is refused"
