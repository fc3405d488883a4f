"""Refusals about imports."""

from kantis_kit.errors import AppError, Invalid, NotFound


class ImportUnknown(NotFound):
    """No such import."""

    slug, title = "import-unknown", "There is no such import"


class FileUnreadable(Invalid):
    """The file is not a table of contacts that can be read."""

    slug, title = "unreadable-file", "This file cannot be imported"


class KindUnknown(AppError):
    """Neither CSV nor a multipart form with a file."""

    slug, status, title = (
        "unsupported-media-type",
        415,
        "Send text/csv, or multipart/form-data with a file",
    )
