"""Refusals about exports."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class ExportUnknown(NotFound):
    """No such export, or its file is gone."""

    slug, title = "export-unknown", "There is no such export"


class ExportUnfinished(Conflict):
    """The file is not written yet, or is gone."""

    slug, title = "export-unfinished", "There is no file to be fetched"


class ExportInvalid(Invalid):
    """It cannot be exported like this."""

    slug, title = "invalid-export", "This cannot be exported"
