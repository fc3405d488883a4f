"""What is refused about files of responses."""

from kantis_kit.errors import AppError, Conflict, Invalid, NotFound


class MappingNotFound(NotFound):
    """No mapping has this name."""

    slug, title = "mapping-not-found", "There is no such mapping"


class FileNotKnown(NotFound):
    """No file has this id."""

    slug, title = "response-file-not-found", "There is no such file of responses"


class ReviewNotFound(NotFound):
    """No row in review has this id."""

    slug, title = "review-not-found", "There is no such row in review"


class FileUnreadable(Invalid):
    """The file is not what its mapping says."""

    slug, title = "unreadable-file", "This file cannot be taken"


class FileCut(Invalid):
    """The file has fewer rows than its sender has counted, or more."""

    slug, title = "file-cut", "This file is not whole"


class RowRefused(Invalid):
    """What was decided on a row makes no response."""

    slug, title = "row-refused", "This row makes no response"


class ReviewDecided(Conflict):
    """Somebody has decided on the row."""

    slug, title = "review-decided", "This row is decided"


class KindUnknown(AppError):
    """Neither text nor a form with a file."""

    slug, status, title = (
        "unsupported-media-type",
        415,
        "Send the file as text, or multipart/form-data with a file",
    )
