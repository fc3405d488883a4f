"""What can be refused about thresholds."""

from kantis_kit.errors import NotFound


class ThresholdUnknown(NotFound):
    """Nothing of this name is weighed."""

    slug, title = "threshold-unknown", "There is no such threshold"
