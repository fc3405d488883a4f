"""What shared pages refuse."""

from kantis_kit.errors import NotFound


class LinkOver(NotFound):
    """The link is forged, cut short, or over."""

    slug, title = "link-over", "This link does not open a report"
