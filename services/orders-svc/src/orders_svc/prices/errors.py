"""What prices refuse."""

from kantis_kit.errors import Conflict


class NotSoldIn(Conflict):
    """A product has no price in this currency on this day."""

    slug, title = "not-sold-in-currency", "It has no price in this currency"
