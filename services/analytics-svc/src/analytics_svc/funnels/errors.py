"""What funnels refuse."""

from kantis_kit.errors import Invalid


class FunnelTooBig(Invalid):
    """There is more to count than a question may take."""

    slug, title = "funnel-too-big", "This funnel takes too long to count"
