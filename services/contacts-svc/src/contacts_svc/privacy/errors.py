"""What can be refused about erasures."""

from kantis_kit.errors import Unavailable


class ErasureNotRecorded(Unavailable):
    """An erasure that a restore would undo is none."""

    slug, title = "erasure-not-recorded", "The erasure could not be recorded"
