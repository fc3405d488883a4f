"""What can be refused about competitions."""

from kantis_kit.errors import Conflict, NotFound


class CompetitionUnknown(NotFound):
    """There is no such competition."""

    slug, title = "competition-unknown", "There is no such competition"


class CompetitionOver(Conflict):
    """Nobody enters after the end."""

    slug, title = "competition-over", "The competition takes no more entries"


class CompetitionRuns(Conflict):
    """Nobody draws before the end."""

    slug, title = "competition-runs", "The competition has not ended yet"


class BeaconMissing(Conflict):
    """The draw needs the number that was promised when the competition began."""

    slug, title = "beacon-missing", "The draw needs the public number that was promised"


class NotAMember(Conflict):
    """It is for members alone."""

    slug, title = "not-a-member", "The competition is for members of the club"
