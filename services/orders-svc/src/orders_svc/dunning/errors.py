"""What dunning refuses."""

from kantis_kit.errors import Conflict, Invalid


class StepNotNow(Conflict):
    """The case is not where this step begins."""

    slug, title = "dunning-step", "This step cannot be taken now"


class StepOfAnotherDay(Invalid):
    """The step cannot have been taken on that day."""
