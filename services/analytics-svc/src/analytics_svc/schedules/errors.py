"""What schedules refuse."""

from kantis_kit.errors import Conflict, NotFound


class ScheduleUnknown(NotFound):
    """There is no schedule of this id, or it was deleted."""

    slug, title = "report-schedule-unknown", "There is no such schedule"


class TooManySchedules(Conflict):
    """A report has as many schedules as it may."""

    slug, title = "report-schedules-full", "This report has enough schedules"
