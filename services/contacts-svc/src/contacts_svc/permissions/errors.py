"""Refusals about permissions."""

from kantis_kit.errors import Invalid, NotFound


class PermissionInvalid(Invalid):
    """What was sent cannot be entered into the ledger."""

    slug, title = "invalid-permission", "This cannot be entered into the permission ledger"


class LinkDead(NotFound):
    """A link that was never ours, or is too old."""

    slug, title = "link-dead", "This link is no longer valid"


class SuppressionUnknown(NotFound):
    """No such suppression."""

    slug, title = "suppression-unknown", "There is no such suppression"


class TopicUnknown(NotFound):
    """No such topic."""

    slug, title = "topic-unknown", "There is no such topic"
