"""What billing refuses."""

from kantis_kit.errors import Conflict, NotFound


class InvoiceNotFound(NotFound):
    """No invoice has this id or reference."""

    slug, title = "invoice-not-found", "There is no such invoice"


class PaymentNotFound(NotFound):
    """No payment has this id."""

    slug, title = "payment-not-found", "There is no such payment"


class ExternalIdReused(Conflict):
    """The bank's id of a payment came again with other content."""

    slug, title = "external-id-reused", "This payment came before, with another content"


class AlreadyMatched(Conflict):
    """The payment is booked on an invoice."""

    slug, title = "already-matched", "This payment is booked already"


class OtherCurrency(Conflict):
    """The payment's currency is not the invoice's."""

    slug, title = "other-currency", "The invoice is in another currency"
