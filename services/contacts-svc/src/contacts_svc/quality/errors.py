"""Refusals about duplicates and merges."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class DuplicateUnknown(NotFound):
    """No such pair, or one of the two is gone."""

    slug, title = "duplicate-unknown", "There is no such pair of contacts"


class DuplicateDecided(Conflict):
    """The pair was merged."""

    slug, title = "duplicate-decided", "This pair was decided already"


class MergeInvalid(Invalid):
    """Two contacts that cannot become one."""

    slug, title = "invalid-merge", "These cannot be merged"


class MergeUnknown(NotFound):
    """No such merge."""

    slug, title = "merge-unknown", "There is no such merge"


class MergeFinal(Conflict):
    """What undoing would need is gone, or something else must be undone first."""

    slug, title = "merge-cannot-be-undone", "This merge cannot be undone"
