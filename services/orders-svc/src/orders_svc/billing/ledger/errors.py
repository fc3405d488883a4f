"""What the ledger refuses."""

from kantis_kit.errors import Conflict


class PeriodLocked(Conflict):
    """The day lies in a period that is locked already, or is not over."""

    slug, title = "period-locked", "That period cannot be locked now"
