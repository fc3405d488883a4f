"""What can be refused about launches that wait."""

from kantis_kit.errors import Conflict


class LaunchOver(Conflict):
    """What has ended can neither wait nor go on."""

    slug, title = "launch-over", "The launch has ended"
