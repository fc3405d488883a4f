"""The other side is away."""

from kantis_kit.errors import Unavailable


class UpstreamAway(Unavailable):
    """The service was not reached, or went away before it answered."""

    slug = "service-away"
