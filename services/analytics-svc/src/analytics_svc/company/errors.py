"""What reports of the house refuse."""

from kantis_kit.errors import Invalid


class SpanInvalid(Invalid):
    """The days asked for are not a span, or too long a one."""

    slug, title = "report-span-invalid", "The report cannot be about these days"
