"""Refusals about forms and leads."""

from kantis_kit.errors import AppError, Conflict, Forbidden, Invalid, NotFound, TooMany


class FormUnknown(NotFound):
    """No such form, or it is closed."""

    slug, title = "form-unknown", "There is no such form"


class FormKeyTaken(Conflict):
    """The key of a form is its address."""

    slug, title = "form-key-taken", "A form with this key exists"


class ConsentReworded(Conflict):
    """Words that people have said yes to stay as they are."""

    slug, title = "consent-reworded", "New words need a new version"


class OriginForeign(Forbidden):
    """The form does not know the site that the request comes from."""

    slug, title = "origin-foreign", "This site may not post to this form"


class TooManyLeads(TooMany):
    """One visitor, or one address, too often."""

    slug, title = "too-many-leads", "That is too often"


class BodyKindUnknown(AppError):
    """Neither a form nor JSON."""

    slug, status, title = "unsupported-media-type", 415, "Send JSON or a form"


class BodyUnreadable(AppError):
    """The body breaks off or is not what it says."""

    slug, status, title = "unreadable-body", 400, "The request cannot be read"


class AnswerInvalid(Invalid):
    """An answer that the form cannot take."""

    slug, title = "answer-invalid", "An answer cannot be taken"


class ProofMissing(Invalid):
    """The form asks for work before it takes a post."""

    slug, title = "proof-missing", "The proof of work is missing, wrong or used"


class ListUnknown(Invalid):
    """The list that people shall join is not there."""

    slug, title = "list-unknown", "There is no such list"


class DownloadUnknown(NotFound):
    """The form gives nothing away."""

    slug, title = "download-unknown", "There is no such file"


class FileUnusable(AppError):
    """A file that a form cannot give away."""

    slug, status, title = "file-unusable", 422, "The file cannot be taken"
