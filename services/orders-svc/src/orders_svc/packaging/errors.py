"""What packing rules refuse."""

from kantis_kit.errors import NotFound


class RuleNotFound(NotFound):
    """No packing rule has this id."""

    slug, title = "packing-rule-not-found", "There is no such packing rule"
