"""What billing refuses."""

from kantis_kit.errors import Conflict, NotFound


class InvoiceNotFound(NotFound):
    """No invoice has this id or reference."""

    slug, title = "invoice-not-found", "There is no such invoice"


class TooMuchCredited(Conflict):
    """More than what is left of the invoice; `left` says what that is."""

    slug, title = "too-much-credited", "That is more than is left to credit"


class CreditNoteCredited(Conflict):
    """A credit note takes back; it has nothing that could be taken back."""

    slug, title = "credit-note-credited", "A credit note cannot be credited"


class CurrencyDiffers(Conflict):
    """The amount is in another currency than the invoice."""

    slug, title = "other-currency", "The invoice is in another currency"


class BuyerForgotten(Conflict):
    """The person to whom it was made out has been forgotten; the document cannot be made whole again."""

    slug, title = "buyer-forgotten", "To whom it was made out is kept apart"
