"""What can be wrong with a template."""

from kantis_kit.errors import Conflict, Invalid, KantisError, NotFound


class TemplateNotFound(NotFound):
    """No such template or version."""

    slug, title = "template-not-found", "There is no such template"


class TemplateRefused(Invalid):
    """A template cannot be saved as it stands; `errors` says where and how to mend it."""

    slug, title = "template-refused", "The template cannot be saved as it stands"


class TemplateArchived(Conflict):
    """An archived template takes no new versions."""

    slug, title = "template-archived", "This template is archived"


class PersonUnknown(NotFound):
    """Nobody whom a preview could show."""

    slug, title = "person-unknown", "There is no such person here"


class Flaw(KantisError):
    """One thing that is wrong with a source; becomes a line of `TemplateRefused`."""


class CannotRender(KantisError):
    """A message cannot be made for this recipient."""
