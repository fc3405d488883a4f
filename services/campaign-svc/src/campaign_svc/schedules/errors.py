"""What can be refused about schedules."""

from kantis_kit.errors import Invalid, NotFound


class ScheduleUnknown(NotFound):
    """The campaign has none."""

    slug, title = "schedule-unknown", "The campaign has no schedule"


class MomentPassed(Invalid):
    """What is to begin lies ahead."""

    slug, title = "moment-passed", "The moment has passed"
