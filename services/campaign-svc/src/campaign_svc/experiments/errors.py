"""What can be refused about experiments."""

from kantis_kit.errors import Conflict, NotFound


class NoExperiment(NotFound):
    """The campaign compares nothing."""

    slug, title = "no-experiment", "The campaign has no experiment"


class WinnerKnown(Conflict):
    """The rest of the audience has got its winner."""

    slug, title = "winner-known", "The experiment has a winner"
