"""Refusals about insights."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class TermUnknown(NotFound):
    """No such word in the vocabulary."""

    slug, title = "insight-term-unknown", "The vocabulary has no such term"


class TermTaken(Conflict):
    """A key names one term for ever."""

    slug, title = "insight-term-taken", "The vocabulary has a term with this key"


class TermClosed(Conflict):
    """What was said keeps its meaning; nothing new is said with a closed term."""

    slug, title = "insight-term-closed", "This term is closed"


class InsightInvalid(Invalid):
    """Something of what was sent cannot be kept; nothing of it was."""

    slug, title = "invalid-insight", "These insights cannot be kept"


class InsightUnknown(NotFound):
    """No such insight of this contact."""

    slug, title = "insight-unknown", "There is no such insight"


class ProductsInvalid(Invalid):
    """Products can be matched to needs alone, and only products that are known."""

    slug, title = "invalid-match", "These products cannot be matched to this term"
