"""What can be refused about erasures."""

from kantis_kit.errors import NotFound, Unavailable


class ErasureNotRecorded(Unavailable):
    """An erasure that a restore would undo is none."""

    slug, title = "erasure-not-recorded", "The erasure could not be recorded"


class ErasureUnknown(NotFound):
    """There is no such erasure."""

    slug, title = "erasure-unknown", "There is no such erasure"
