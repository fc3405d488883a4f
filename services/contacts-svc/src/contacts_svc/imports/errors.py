"""Refusals about imports."""

from kantis_kit.errors import AppError, Conflict, Invalid, NotFound


class ImportUnknown(NotFound):
    """No such import."""

    slug, title = "import-unknown", "There is no such import"


class ListUnknown(NotFound):
    """No such list."""

    slug, title = "list-unknown", "There is no such list"


class MappingUnknown(NotFound):
    """No such mapping."""

    slug, title = "mapping-unknown", "There is no such mapping"


class MappingTaken(Conflict):
    """The name is in use."""

    slug, title = "mapping-taken", "A mapping of this name is there already"


class MappingInvalid(Invalid):
    """The mapping cannot be used."""

    slug, title = "invalid-mapping", "This mapping cannot be used"


class SourcesInvalid(Invalid):
    """The order of sources cannot be used."""

    slug, title = "invalid-sources", "This order of sources cannot be used"


class FileUnreadable(Invalid):
    """The file is not a table of contacts that can be read."""

    slug, title = "unreadable-file", "This file cannot be imported"


class KindUnknown(AppError):
    """Neither CSV, XLSX nor a multipart form with a file."""

    slug, status, title = (
        "unsupported-media-type",
        415,
        "Send CSV, XLSX, or multipart/form-data with a file",
    )
