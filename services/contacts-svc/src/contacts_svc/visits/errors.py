"""Refusals about sites and visits."""

from kantis_kit.errors import AppError, Forbidden, NotFound


class SiteUnknown(NotFound):
    """No such site."""

    slug, title = "site-unknown", "There is no such site"


class SiteForeign(Forbidden):
    """The site does not know where the report comes from."""

    slug, title = "origin-foreign", "This site may not report visits"


class ReportUnreadable(AppError):
    """The body breaks off or is not what it says."""

    slug, status, title = "unreadable-body", 400, "The request cannot be read"
