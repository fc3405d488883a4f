"""What can be refused about the seed list."""

from kantis_kit.errors import Conflict, NotFound


class SeedUnknown(NotFound):
    """It is not on the list."""

    slug, title = "seed-unknown", "The seed list has no such address"


class SeedTwice(Conflict):
    """An address stands on the list once."""

    slug, title = "seed-twice", "The seed list has this address"


class SeedsFull(Conflict):
    """A seed list is short: each of its addresses gets every cell."""

    slug, title = "seeds-full", "The seed list is full"
