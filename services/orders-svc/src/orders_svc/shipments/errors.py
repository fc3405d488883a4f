"""What shipments refuse."""

from kantis_kit.errors import Conflict


class MoreThanLeft(Conflict):
    """More was asked to leave than has still to leave; `left` says how many, by line."""

    slug, title = "more-than-left", "The order has not that many left"
