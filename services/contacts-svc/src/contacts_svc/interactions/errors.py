"""Refusals about interactions."""

from kantis_kit.errors import Invalid, NotFound


class InteractionInvalid(Invalid):
    """Something of what was sent cannot be kept; nothing of it was."""

    slug, title = "invalid-interaction", "These interactions cannot be kept"


class InteractionUnknown(NotFound):
    """No such interaction."""

    slug, title = "interaction-unknown", "There is no such interaction"
