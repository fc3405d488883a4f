"""What saved reports refuse."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class SavedUnknown(NotFound):
    """No report was saved under this id, or it was deleted."""

    slug, title = "saved-report-unknown", "There is no such saved report"


class NameTaken(Conflict):
    """Another saved report has this name."""

    slug, title = "saved-report-name-taken", "A saved report has this name already"


class CurrencyMeaningless(Invalid):
    """The report counts people or pieces, not money."""

    slug, title = "saved-report-currency-meaningless", "This report has no currency"
