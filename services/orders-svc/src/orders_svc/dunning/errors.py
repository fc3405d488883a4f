"""What dunning refuses."""

from kantis_kit.errors import Conflict, Invalid, NotFound


class StepNotNow(Conflict):
    """The case is not where this step begins."""

    slug, title = "dunning-step", "This step cannot be taken now"


class StepOfAnotherDay(Invalid):
    """The step cannot have been taken on that day."""


class AgencyFileRefused(Invalid):
    """The agency's file cannot be read; nothing of it was booked."""

    slug, title = "agency-file-refused", "This file of the agency is refused"


class AgencyFileNotFound(NotFound):
    """No file for the agency has this id."""

    slug, title = "agency-file-not-found", "There is no such file for the agency"


class NothingToTell(Conflict):
    """The agency knows everything."""

    slug, title = "nothing-to-tell", "There is nothing that the agency has not been told"
