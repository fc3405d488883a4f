"""What can be refused about schedules."""

from kantis_kit.errors import Invalid, NotFound


class ScheduleUnknown(NotFound):
    """The campaign has none."""

    slug, title = "schedule-unknown", "The campaign has no schedule"


class TooLate(Invalid):
    """What may be sent until a moment begins before it."""

    slug, title = "schedule-too-late", "The campaign would be over before it begins"


class MomentPassed(Invalid):
    """What is to begin lies ahead."""

    slug, title = "moment-passed", "The moment has passed"
