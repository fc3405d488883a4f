"""What reports refuse."""

from kantis_kit.errors import NotFound


class ReportUnknown(NotFound):
    """No launched campaign has this id."""

    slug, title = "report-unknown", "There is no report of such a campaign"
