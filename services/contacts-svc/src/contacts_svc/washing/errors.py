"""Refusals about reservation registers."""

from kantis_kit.errors import AppError, Conflict, Invalid, NotFound


class RegisterUnknown(NotFound):
    """No such register."""

    slug, title = "register-unknown", "There is no such reservation register"


class WashInvalid(Invalid):
    """The file or its day cannot be used."""

    slug, title = "wash-invalid", "This file of the register cannot be used"


class WashOutdated(Conflict):
    """A newer file was taken in already."""

    slug, title = "wash-outdated", "A newer file of this register was taken in already"


class WashKindUnknown(AppError):
    """Not a file that we read."""

    slug, status, title = "file-kind-unknown", 415, "This kind of file is not read"
